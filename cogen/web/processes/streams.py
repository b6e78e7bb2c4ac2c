"""Standard streams of a process that was started without them.

Descriptors 0 to 2 that are closed are given to the first files and sockets that are opened, and
whatever a library writes to "standard error" then goes into those. Those that lead to a full disk,
or to a reader that has left, take nothing more away than what is written to them.
"""

import os
import sys
from contextlib import suppress

__all__ = ["open_standard_streams", "settle_standard_streams"]

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
    # What was said before is said before what follows.
    with suppress(OSError):
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()


def settle_standard_streams() -> None:
    """What was written to them is on its way, or leads nowhere, where it cannot be written.

    Python ends with the status 120 where it cannot write what is left at its end.
    """
    for number, stream in ((1, sys.__stdout__), (2, sys.__stderr__)):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
