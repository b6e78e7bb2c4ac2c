"""A folder as the root of a machine: what a stage of an image does, without a container runtime.

mmdebstrap makes what `debian:bookworm-slim` is, the smallest Debian of that name. Commands run in
it by `unshare`, with processes and mounts of their own; the network is that of the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from tests.containers.dockerfile import CONTEXT, Instruction, Stage, ignored

__all__ = ["Root", "make_base", "say"]

_BASES = {"debian:bookworm-slim": "bookworm"}
# How this machine reaches the network, which a container is told by its runtime.
_FILES = ("/etc/resolv.conf", "/etc/hosts")
_PASSED = ("PIP_INDEX_URL", "http_proxy", "https_proxy", "no_proxy")
_CERTIFICATES = "/etc/network-certificates.pem"


def say(line: str) -> None:
    """It takes minutes: one sees where it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def make_base(name: str, path: Path) -> None:
    """Make the archive of a Debian at `path`. Raises CalledProcessError."""
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", _BASES[name], path], check=True)


class Root:
    """A stage on its base, an archive; `folder` is its root."""

    def __init__(self, folder: Path, base: Path) -> None:
        self.folder = folder
        self.directory = "/"
        self.user = "root"
        self.environment: dict[str, str] = {}
        self.health: list[str] = []
        self.entry: list[str] = []
        folder.mkdir()
        subprocess.run(["tar", "-xf", base, "-C", folder, "--exclude=./dev/*"], check=True)
        for device in ("null", "zero", "random", "urandom"):
            subprocess.run(["cp", "-a", f"/dev/{device}", folder / "dev"], check=True)
        for path in _FILES:
            shutil.copyfile(path, folder / path[1:])
        certificates = os.environ.get("PIP_CERT")
        self._network = {name: os.environ[name] for name in _PASSED if name in os.environ}
        if certificates:
            shutil.copyfile(certificates, folder / _CERTIFICATES[1:])
            self._network["PIP_CERT"] = _CERTIFICATES

    def build(self, stage: Stage, others: Mapping[str, Root]) -> None:
        """Do what the stage says. Raises KeyError for an instruction that is not known."""
        for instruction in stage.instructions:
            say(f"{instruction.name} {instruction.text[:100]}")
            {
                "COPY": lambda each: self._copy(each, others),
                "ENTRYPOINT": self._entry,
                "ENV": self._env,
                "EXPOSE": lambda _: None,
                "HEALTHCHECK": self._healthcheck,
                "RUN": lambda each: self.run(["sh", "-c", each.text]),
                "USER": self._user,
                "VOLUME": lambda each: self._is_there(each.text),
                "WORKDIR": self._workdir,
            }[instruction.name](instruction)

    def command(self, words: Sequence[str]) -> list[str]:
        """What runs `words` in the root, as its user."""
        switch = [] if self.user == "root" else [f"--userspec={self.user}"]
        return [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", f"--root={self.folder}",
            "--mount-proc", "chroot", *switch, "--skip-chdir", "/",
            "env", "-C", self.directory, *words,
        ]  # fmt: skip

    def environ(self) -> dict[str, str]:
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        home = {"HOME": "/root"} if self.user == "root" else {}
        return {"PATH": path, **home, **self._network, **self.environment}

    def run(self, words: Sequence[str]) -> None:
        """Raises CalledProcessError, with what it said on standard error."""
        subprocess.run(
            self.command(words), env=self.environ(), check=True, stdout=subprocess.DEVNULL
        )

    def _copy(self, instruction: Instruction, others: Mapping[str, Root]) -> None:
        *flags, source, target = instruction.words
        place = self.folder / os.path.join(self.directory, target)[1:]
        if flags:
            [flag] = flags
            other = others[flag.removeprefix("--from=")]
            place.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", other.folder / source[1:], place], check=True)
        else:
            shutil.copytree(CONTEXT / source, place, ignore=_left_out, dirs_exist_ok=True)

    def _entry(self, instruction: Instruction) -> None:
        self.entry = instruction.words

    def _env(self, instruction: Instruction) -> None:
        name, _, value = instruction.text.partition("=")
        self.environment[name] = value.strip('"')

    def _healthcheck(self, instruction: Instruction) -> None:
        _, _, command = instruction.text.partition("CMD ")
        self.health = Instruction("CMD", command).words

    def _is_there(self, path: str) -> None:
        assert (self.folder / path[1:]).is_dir(), f"{path} is not made"

    def _user(self, instruction: Instruction) -> None:
        self.user = instruction.text

    def _workdir(self, instruction: Instruction) -> None:
        self.directory = instruction.text
        (self.folder / self.directory[1:]).mkdir(parents=True, exist_ok=True)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Of `names` in a folder of the context, those that are not in it by .dockerignore."""
    inside = os.path.relpath(folder, CONTEXT)
    found = set()
    for name in names:
        path = name if inside == "." else f"{inside}/{name}"
        for pattern in ignored():
            anywhere = pattern.removeprefix("**/")
            if fnmatch(path, pattern) or (anywhere != pattern and fnmatch(name, anywhere)):
                found.add(name)
    return found
