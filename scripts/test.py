"""Runs the tests: test.py [nosetests arguments]; without any the whole suite.

Where the arguments are files and folders alone, their modules run in several processes. PROCESSES
says in how many, by default one more than there are processors; WITHOUT names folders whose tests
are left out. Each process takes the next module when it is done with one. Its temporary folder is
its own, and nothing may be left in it. A module that fails beside others is run again alone, and
that is told: what fails then fails the run. The closing lines are those of all.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

# What takes longest begins first: nobody waits for it at the end.
FIRST = ("tests/chatapp/test_chaos.py", "tests/functional", "tests/browser")
SKIPPED = re.compile(r"^skipped (\d+): (.*)$", re.M)
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped\n\Z", re.M)
MISSING = " is not installed"


class Nose:
    """A process that runs tests in `folder`; options are those of subprocess.Popen."""

    def __init__(self, folder: Path, arguments: list[str], **options: object) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir(parents=True)
        self.temporary.chmod(0o755)  # nginx's workers read there
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.shares", *arguments],
            env={
                **os.environ,
                "TMPDIR": str(self.temporary),
                "FAILED_MODULES": str(folder.parent / "failed"),
            },
            **options,
        )

    def wait(self) -> bool:
        """Return when it has ended: whether all is well, and nothing left in its folder."""
        status = self.process.wait()
        left = sorted(os.listdir(self.temporary))
        if left and status == 0:
            print(f"left in the temporary folder: {', '.join(left)}")
        return status == 0 and not left


def modules(places: list[str]) -> list[str]:
    """Those in these files and folders, in the order in which they begin."""
    found = []
    for place in map(Path, places):
        found += [place] if place.is_file() else sorted(place.rglob("test_*.py"))
    found = list(dict.fromkeys(map(str, found)))
    without = os.environ.get("WITHOUT", "").split()
    if without:
        print(f"without {', '.join(without)}", flush=True)
        left_out = tuple(f"{folder}/" for folder in without)
        found = [path for path in found if not path.startswith(left_out)]
    return sorted(found, key=lambda path: not path.startswith(FIRST))


def everything(folder: Path, names: list[str], count: int) -> bool:
    """Run these modules in `count` processes; whether all is well."""
    taken, queue = os.pipe()
    os.write(queue, b"".join(b"%4d" % number for number in range(len(names))))
    os.close(queue)
    share = ["--take", str(taken), *names]
    outputs = [folder / f"{number}.txt" for number in range(count)]
    processes = []
    for number, path in enumerate(outputs):
        with path.open("wb") as output:
            processes.append(
                Nose(
                    folder / str(number), share,
                    pass_fds=[taken], stdin=subprocess.DEVNULL, stderr=output,
                )
            )  # fmt: skip
    os.close(taken)
    well = [process.wait() for process in processes]
    texts = [output.read_text(errors="replace") for output in outputs]
    for text, fine in zip(texts, well, strict=True):
        if not fine or not CLOSING.search(text):
            print(text)
    failed = close(texts)
    if failed:
        return again(folder, failed, texts)
    return all(well)


def again(folder: Path, failed: int, texts: list[str]) -> bool:
    """Run by themselves the modules in which all of the failures were; whether all is well then."""
    noted = folder / "failed"
    lines = noted.read_text().splitlines() if noted.exists() else []
    counts = {module: int(count) for count, module in map(str.split, lines)}
    if sum(counts.values()) != failed:
        return False
    print(f"again, alone: {', '.join(counts)}", flush=True)
    well = Nose(folder / "again", list(counts)).wait()
    if well:
        print(f"failed beside others and passed alone: {', '.join(counts)}")
    close(texts, failed if well else 0)
    return well


def close(texts: list[str], mended: int = 0) -> int:
    """Print the closing lines of all of these outputs; how many failed.

    `mended`: failures that were none when their modules were run again.
    """
    skips: Counter[str] = Counter()
    passed = failed = 0
    for text in texts:
        for count, why in SKIPPED.findall(text):
            skips[why] += int(count)
        closing = CLOSING.search(text)
        # One that does not close has not run to its end, or something went wrong after it.
        passed += int(closing[1]) if closing else 0
        failed += int(closing[2]) if closing else 1
    passed, failed = passed + mended, failed - mended
    for why, count in sorted(skips.items()):
        print(f"skipped {count}: {why}")
    print(f"{passed} passed, {failed} failed, {skips.total()} skipped")
    missing = sorted(why.removesuffix(MISSING) for why in skips if why.endswith(MISSING))
    if missing:
        print(f"to run what was skipped, install {', '.join(missing)} (scripts/debian-packages)")
    return failed


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="tests-"))
    folder.chmod(0o755)
    try:
        arguments = sys.argv[1:]
        places = all(map(os.path.exists, arguments))
        names = modules(arguments or ["tests"]) if places else []
        if len(names) > 1:
            count = os.environ.get("PROCESSES") or min(4, (os.cpu_count() or 1) + 1)
            well = everything(folder, names, int(count))
        else:
            well = Nose(folder / "0", arguments).wait()
    finally:
        shutil.rmtree(folder)
    sys.exit(not well)


main()
