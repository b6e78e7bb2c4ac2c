"""What `chatapp check` finds, and what can be found of files without touching them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Finding", "folder_findings", "mode_findings"]


class Finding(NamedTuple):
    """A line of the check. `is_error`: the chat would not start or would not be safe."""

    line: str
    is_error: bool = True

    def __str__(self) -> str:
        return self.line if self.is_error else f"{self.line} (a warning)"


def folder_findings(what: str, folder: str) -> Iterator[Finding]:
    """Whether files can be made in `folder`, which may have to be made itself."""
    path = Path(os.path.abspath(folder))
    while not path.exists() and path != path.parent:
        path = path.parent
    if not path.is_dir():
        yield Finding(f"{what} = {folder}: {path} is no folder")
    elif not os.access(path, os.W_OK | os.X_OK):
        yield Finding(f"{what} = {folder}: {path} is not to be written to")
    else:
        yield from mode_findings(folder, 0o002, "can be changed by everybody")


def mode_findings(path: str, bits: int, what: str) -> Iterator[Finding]:
    """Whether the file's mode has any of `bits`, which `what` says in words."""
    if os.path.exists(path) and os.stat(path).st_mode & bits:
        yield Finding(f"{path} {what}: make it `chmod o-rwx`")
