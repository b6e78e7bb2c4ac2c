"""Programs that tests run and that pip cannot install."""

import os
import shutil
import unittest
from collections.abc import Callable, Mapping
from typing import TypeVar

__all__ = ["installed", "needs"]

_Test = TypeVar("_Test")


def installed(*programs: str) -> str | None:
    """Where the first of `programs` is that the PATH has, or None."""
    return next((path for program in programs if (path := shutil.which(program))), None)


def needs(*programs: str, environ: Mapping[str, str] = os.environ) -> Callable[[_Test], _Test]:
    """Decorates tests that run one of `programs`, whichever there is: without it they are skipped,
    but in CI, where an AssertionError tells of it."""
    if installed(*programs):
        return lambda test: test
    what = f"{programs[0]} is not installed"
    if environ.get("CI"):
        raise AssertionError(f"{what}, and in CI no test is skipped")
    return unittest.skip(what)
