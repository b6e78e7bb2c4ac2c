"""What an ini says wrong, in one line, told apart from failures of the application's own code."""

import configparser
import sys
from types import ModuleType, TracebackType

from cogen.web.settings.tracebacks import own_frames

__all__ = ["ERRORS", "fault_of", "line_of", "say_faults"]

ERRORS = (configparser.Error, AttributeError, ImportError, LookupError, OSError, ValueError)
"""What PasteDeploy raises for an ini that it cannot read or that names what is not there."""

_LOADER = "paste.deploy.loadwsgi"
# Its functions, which an application calls with values of the ini.
_CONVERTERS = "paste.deploy.converters"


def fault_of(error: BaseException) -> str | None:
    """The line that says what is wrong in the ini; None if `error` is of the application's code."""
    if not isinstance(error, ERRORS):
        return None
    if own_frames(error) is not None and _module(_frames(error)[-1]) != _CONVERTERS:
        return None
    return line_of(error)


def line_of(error: BaseException) -> str:
    """Its message, in one line."""
    # A KeyError would show what its message looks like in Python.
    text = error.args[0] if isinstance(error, LookupError) and error.args else error
    return " ".join(str(text).split())


def say_faults(paster: ModuleType, path: str) -> None:
    """Have `paster serve` end with one line for a fault of the ini at `path`.

    It loads the application after it has called the factory of the server, and shows whatever that
    raises with a traceback. `paster` is its module.
    """
    former = sys.excepthook

    def say(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        sys.excepthook = former
        frames = _frames(error)
        modules = list(map(_module, frames))
        if paster.__name__ in modules and _LOADER in modules:
            line = fault_of(error.with_traceback(frames[modules.index(_LOADER)]))
            if line is not None:
                sys.stderr.write(f"cogen: {path}: {line}\n")
                return
        former(kind, error.with_traceback(traceback), traceback)

    sys.excepthook = say


def _frames(error: BaseException) -> list[TracebackType]:
    frames = []
    following = error.__traceback__
    while following is not None:
        frames.append(following)
        following = following.tb_next
    return frames


def _module(frame: TracebackType) -> str:
    return str(frame.tb_frame.f_globals.get("__name__"))
