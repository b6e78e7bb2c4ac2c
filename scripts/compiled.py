"""Where cogen and the chat are compiled: build/compiled/HASH-PYTHON, links to the rest beside them.

python scripts/compiled.py tree    # prints its path, for the sources as they are and this Python
python scripts/compiled.py make    # the same, made if it is not there; those of other sources go
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREES = ROOT / "build/compiled"
BIN = Path(sys.executable).parent
SETUPS = {"chatapp": "setup.py", "cogen": "packaging/cogen/setup.py"}
# What decides how it is compiled, besides the two packages.
BUILDERS = [*SETUPS.values(), "packaging/compiling.py", "scripts/compiled.py"]
# Folders of the page, which can be worked on meanwhile: they are linked.
PAGE = ["chatapp/public", "chatapp/templates"]
# What is not linked: what tools make, and what is made here.
OWN = ["build", "data", "dist", *SETUPS]


def tree() -> Path:
    """Of the sources as they are, for this Python."""
    digest = hashlib.sha256()
    for name in sorted({*BUILDERS, *sources()}):
        content = (ROOT / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return TREES / f"{digest.hexdigest()[:12]}-{sysconfig.get_config_var('SOABI')}"


def sources() -> Iterator[str]:
    """The modules of the two packages."""
    for package in SETUPS:
        for path in (ROOT / package).rglob("*.py"):
            yield str(path.relative_to(ROOT))


def compiled_modules() -> Iterator[str]:
    """Those that the setup files name, like chatapp/live/poll."""
    for package, setup in SETUPS.items():
        for node in ast.parse((ROOT / setup).read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMPILED":
                for folder, names in ast.literal_eval(node.value).items():
                    yield from (f"{package}/{folder}/{name}" for name in names.split())


def make() -> Path:
    made = tree()
    if not made.exists():
        with tempfile.TemporaryDirectory() as folder:
            wheels = wheels_in(ROOT / f"dist/python{sys.version_info[0]}.{sys.version_info[1]}")
            if not (wheels and fit(wheels)):
                wheels = fresh_wheels(Path(folder))
            assemble(wheels, made)
    for other in TREES.iterdir():
        if other.is_symlink():
            other.unlink()
        elif not other.name.startswith(made.name.partition("-")[0]):
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    return made


def wheels_in(folder: Path) -> list[zipfile.ZipFile]:
    paths = (path for package in SETUPS for path in folder.glob(f"{package}-*.whl"))
    return [zipfile.ZipFile(path) for path in paths]


def fit(wheels: list[zipfile.ZipFile]) -> bool:
    """Whether they are compiled of the sources as they are."""
    contents = {name: wheel for wheel in wheels for name in wheel.namelist()}
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return all(f"{module}{suffix}" in contents for module in compiled_modules()) and all(
        name in contents and contents[name].read(name) == (ROOT / name).read_bytes()
        for name in sources()
    )


def fresh_wheels(folder: Path) -> list[zipfile.ZipFile]:
    print("compiling cogen and the chat: a minute or two", file=sys.stderr, flush=True)
    subprocess.run(["scripts/stage", folder / "stage"], cwd=ROOT, check=True)
    building = [
        subprocess.Popen(
            ["scripts/wheel", BIN, folder / "stage" / package, folder / "wheels"],
            cwd=ROOT,
            stdout=sys.stderr,
            env={**os.environ, "COGEN_COMPILE": "1"},
        )
        for package in SETUPS
    ]
    statuses = [build.wait() for build in building]
    wheels = wheels_in(folder / "wheels")
    if any(statuses) or not fit(wheels):
        raise SystemExit("scripts/compiled.py: not all was compiled")
    return wheels


def assemble(wheels: list[zipfile.ZipFile], made: Path) -> None:
    """Move a whole tree to `made`."""
    part = made.with_name(f"{made.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for wheel in wheels:
        own = [name for name in wheel.namelist() if name.endswith((".py", ".so"))]
        wheel.extractall(part, own)
        data = [name for name in wheel.namelist() if (ROOT / name).is_file() and name not in own]
        link(part, [name for name in data if not name.startswith(tuple(PAGE))])
    others = [path.name for path in ROOT.iterdir() if not path.name.startswith(".")]
    link(part, [*PAGE, *(name for name in others if name not in OWN)])
    part.rename(made)


def link(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).symlink_to(ROOT / name)


if __name__ == "__main__":
    print({"tree": tree, "make": make}[sys.argv[1]]())
