"""`chatapp export` and `chatapp import`: rooms and messages as a file that any program can read."""

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from chatapp.command.community import do, place

__all__ = ["export_chat"]


def export_chat(file: str, room: str | None, ini: str | None, data: str) -> None:
    """Write all rooms, or one, to `file`; `-` is standard output.

    The file is there when it is whole, for its owner alone. Ends the program with one line if it
    cannot be.
    """
    where = place(ini, data)
    with _written(file) as write:
        do(where, "export", {"room": room}, write)


@contextmanager
def _written(file: str) -> Iterator[Callable[[str], Any]]:
    if file == "-":
        yield lambda line: sys.stdout.write(f"{line}\n")
        return
    draft = f"{file}.{secrets.token_hex(4)}"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as lines:
            yield lambda line: lines.write(f"{line}\n")
            lines.flush()
            os.fsync(lines.fileno())
        os.replace(draft, file)
    except OSError as error:
        raise SystemExit(f"chatapp: {file}: {error.strerror or error}") from None
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(draft)
