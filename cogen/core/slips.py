"""Slips of programs that were written for cogen 0.2: what Python says of them gets its remedy.

An error is looked at when it leaves a coroutine, so nothing here costs one that goes well.
"""

import re
from types import CodeType

__all__ = ["ended_by_stop_iteration", "explain", "stays_in_process"]

_PEP_479 = "generator raised StopIteration"
# Compiled functions do not say which keyword it is.
_REFUSED = re.compile(r"(unexpected|invalid) keyword argument|takes at most \d+ ")
_KEYWORDS = {
    "prio": "there are no priorities, whoever is ready first runs first",
    "weak_timeout": "a timeout of a socket or stream is put off by what arrives",
}


def explain(error: BaseException) -> None:
    """Add the remedy to the message of `error`, if it is one of the slips."""
    kind = type(error)
    if kind is RuntimeError and isinstance(error.__cause__, StopIteration):
        if error.args == (_PEP_479,):
            error.args = (_remedy_of(error.__cause__),)
    elif kind is TypeError and error.args and _REFUSED.search(str(error.args[0])):
        used = _keywords_in(_raised_in(error))
        for keyword, why in _KEYWORDS.items():
            remedy = f"{keyword}= is gone: {why}; leave it out"
            if keyword in used and remedy not in str(error.args[0]):
                error.args = (f"{error.args[0]}; {remedy}",)


def ended_by_stop_iteration(error: StopIteration) -> RuntimeError:
    """What to raise where a function that is no generator has raised `error`."""
    return RuntimeError(_remedy_of(error))


def stays_in_process(queue: object) -> TypeError:
    """What to raise where `queue` is pickled or copied: who waits for the copy waits for ever."""
    return TypeError(
        f"{queue!r} cannot be pickled or copied, for nobody puts anything into the copy: keep it "
        "in a dict of the process, and in the session (or what else is stored) only its key"
    )


def _remedy_of(error: StopIteration) -> str:
    code = _raised_in(error)
    where = "a coroutine" if code is None else code.co_qualname
    value = "" if error.value is None else f" {error.value!r}"
    return (
        f"StopIteration was raised in {where}, where it ends no coroutine any more (PEP 479): "
        f"write `return{value}`, or give next() a default if that has raised it"
    )


def _raised_in(error: BaseException) -> CodeType | None:
    """The code of the function that raised `error`, or called what is not written in Python."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return None if traceback is None else traceback.tb_frame.f_code


def _keywords_in(code: CodeType | None) -> set[object]:
    """The names of the keyword arguments that `code` calls functions with, and some more."""
    constants = () if code is None else code.co_consts
    return {name for each in constants if isinstance(each, tuple) for name in each}
