"""Runs the shell lines of a page as its reader would: from top to bottom, in one shell.

What is not as it stands: a port is a free one; a server is ended when the next one is started or
the page is over; what `make` and `pip` would do takes minutes, so they only say whether they could.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from configparser import RawConfigParser
from functools import cache
from pathlib import Path

from benchmarks.harness.chat import free_port
from tests.docs.pages import ROOT, Block

__all__ = ["Shell", "Step", "required", "steps"]

BIN = Path(sys.executable).parent
PATIENCE = 60
# Programs whose commands change the machine. Options are read up to this one, and nothing is done.
_DRY_BY = {
    "install": "--help",
    "python3 -m venv": "--help",
    "systemctl": "--version",
    "useradd": "--help",
}
# What a reader types who is root: in a folder that is this one here, and as the user who serves.
_AS_ROOT = re.compile(r"^runuser -u chat -- |/srv/chat/\.venv/bin/|^cd /srv/chat$")
# Programs whose commands are run as they stand.
RUN = (
    ":", "cat", "cd", "chatapp", "cogen-serve", "curl", "export", "for", "grep", "kill", "mkdir",
    "nosetests", "paster", "pybabel", "python", "python3", "sed", "sqlite3", "ulimit", "until",
    "wait",
)  # fmt: skip
_SERVER = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:cogen-serve (?!--version|--check)|paster serve\b|chatapp serve\b)"
)
_PORTS = re.compile(r"\b(?:5000|8080)\b")
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S+")
_DRY_PIP = "pip install --dry-run --quiet --no-deps --no-index --no-build-isolation"
_MARK = "\x01\n"


class Step:
    """A command, and the lines that it is to print; `*` in them stands for anything."""

    def __init__(self, command: str) -> None:
        self.command = _AS_ROOT.sub("", command) or ":"
        self.expected: list[str] = []

    @property
    def programs(self) -> set[str]:
        """Those that pip cannot install and a machine may lack."""
        used = {"curl"} if _SERVER.match(self.command) else {self.program}
        return used & {"curl", "make", "sqlite3", "systemctl", "useradd"}

    @property
    def program(self) -> str:
        words = shlex.split(self.command, comments=True)
        return next((word for word in words if not _ASSIGNMENT.fullmatch(word)), "")


def steps(block: Block) -> list[Step]:
    """Those of a block of shell lines. What a command prints stands below it, behind `#> `."""
    found: list[Step] = []
    command = ""
    for line in block.text.splitlines():
        if line.startswith("#> "):
            found[-1].expected.append(line[3:])
            continue
        command += f"{line}\n"
        if _is_whole(command):
            if not command.lstrip().startswith("#") and command.strip():
                found.append(Step(command.strip()))
            command = ""
    assert not command, f"{block}: the last command does not end: {command}"
    return found


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command, comments=True)
    except ValueError:  # a quote is open
        return False
    return not command.endswith("\\\n")


# What a page's script begins with. A server is up when it refuses a request without a host, for
# one that it does not refuse the application may hold. It ends when the next starts, or at the end.
_PRELUDE = """\
SERVER=
end_server() { [ -z "$SERVER" ] || { kill $SERVER; wait $SERVER || true; SERVER=; }; }
until_up() {
    until curl --silent --output /dev/null --header Host: $1; do kill -0 $SERVER; sleep 0.05; done
}
trap end_server EXIT
"""


class Shell:
    """A context manager: a folder with the files of a page, in which its steps run."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="docs-")
        self.folder = Path(self._folder.name)
        self.port = free_port()

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *exc: object) -> None:
        self._folder.cleanup()

    def write(self, name: str, text: str) -> None:
        """The file `name` of the page."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.here(text))

    def here(self, text: str) -> str:
        """`text` with the free port."""
        return _PORTS.sub(str(self.port), text)

    def run(self, page_steps: list[Step]) -> None:
        """Raises AssertionError for a command that fails or prints something else."""
        script = "\n".join(f"printf '\\001\\n'\n{self._performed(step)}" for step in page_steps)
        process = subprocess.Popen(
            ["sh", "-eu", "-c", f"{_PRELUDE}{script}\n"], cwd=self.folder, text=True,
            env=_environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            output, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            errors += f"it did not end within {PATIENCE} s"
        said = output.split(_MARK)[1:]
        for step, text in zip(page_steps, said, strict=False):
            pattern = self.here("\n".join(step.expected) or "*").replace("[", "[[]")
            if not fnmatch.fnmatchcase(text.strip(), pattern):
                raise AssertionError(f"{step.command}\nprints {text}\nnot {pattern}{self._log}")
        if process.returncode:
            at = page_steps[max(0, len(said) - 1)].command
            raise AssertionError(f"{at}\nfails\n{output}\n{errors}{self._log}")

    @property
    def _log(self) -> str:
        log = self.folder / "server.log"
        return f"\n{log.read_text()}" if log.exists() else ""

    def _performed(self, step: Step) -> str:
        command, program = self.here(step.command), step.program
        if match := _SERVER.match(command):
            port = f"port={self.port}" if "paster" in match[0] else f"--port {self.port}"
            plain = re.sub(r"\s+#.*", "", command)
            url = f"http://127.0.0.1:{self.port}/"
            return f"end_server\n{plain} {port} >>server.log 2>&1 &\nSERVER=$!\nuntil_up {url}"
        if program == "chatapp":
            return self._chatapp(command)
        if program == "make":
            return f"(cd {ROOT}; {command.replace('make', 'make --dry-run', 1)}\n) >dry-run"
        if command.startswith("paster create "):
            return f"{command} >created\nsed -i s/5000/{self.port}/ */development.ini"
        for changes, option in _DRY_BY.items():
            if command.startswith(f"{changes} "):
                return f"{command} {option} >dry-run"
        if program == "pip":
            return _installed(command)
        if program and program not in RUN:
            raise AssertionError(f"no test runs {program}: {command}")
        return command

    def _chatapp(self, command: str) -> str:
        """On the free port, in the folder, and without the server where that is in the way."""
        command = command.replace("/var/", f"{self.folder}/var/")
        verb = shlex.split(command)[1]
        if verb == "config" and ">" in command:
            return f"{command}\nsed -i s/5000/{self.port}/ {command.rpartition('>')[2]}"
        return f"end_server\n{command}" if verb in ("check", "restore") else command


@cache
def _installed(command: str) -> str:
    """What `pip install` and `pip wheel` can be checked by in a second, once for all pages.

    Paths are those of this project; `scripts/smoke` installs what `make wheels` puts into
    dist. A bare name is looked for on PyPI, where ours are somebody else's: it has to be a library
    that one of ours requires, in the versions that it requires.
    """
    words = shlex.split(command.partition("pip ")[2], comments=True)[1:]
    named = [word for word in words if not word.startswith(("-", "dist/"))]
    paths = [word for word in named if word.startswith((".", "/"))]
    strangers = set(named) - set(paths) - required()
    assert not strangers, f"{command}: {strangers} may be somebody else's"
    return _dry(tuple(paths)) if paths else ":"


@cache
def required() -> frozenset[str]:
    """The requirements of the three distributions, but for one another."""
    found = set()
    for setup in [ROOT / "setup.cfg", *ROOT.glob("packaging/*/setup.cfg")]:
        parser = RawConfigParser()
        parser.read(setup)
        section = "options.extras_require"
        extras = parser.items(section) if parser.has_section(section) else []
        texts = [parser["options"]["install_requires"], *(text for _, text in extras)]
        found |= {line.replace(" ", "") for text in texts for line in text.splitlines() if line}
    ours = ("cogen=", "Pylons=", "ChatApp")
    return frozenset(line for line in found if not line.startswith(ours))


@cache
def _dry(paths: tuple[str, ...]) -> str:
    command = [sys.executable, "-m", *_DRY_PIP.split(), *paths]
    done = subprocess.run(
        command, cwd=ROOT, env=_environ(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return ":"


def _environ() -> dict[str, str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONWARNINGS": "ignore"}
