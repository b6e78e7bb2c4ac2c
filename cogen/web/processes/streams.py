"""Standard streams of a process that was started without them.

Descriptors 0 to 2 that are closed are given to the first files and sockets that are opened, and
whatever a library writes to "standard error" then goes into those.
"""

import os
import sys

__all__ = ["open_standard_streams"]

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_standard_streams() -> None:
    """Those that are closed lead nowhere from now on. Raises OSError."""
    for number, (name, mode) in enumerate(_STREAMS):
        if not _is_open(number):
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
