"""Programs that tests run and that pip cannot install."""

import os
import unittest
from collections.abc import Callable, Mapping
from typing import TypeVar

from benchmarks.harness.programs import installed

__all__ = ["needs"]

_Test = TypeVar("_Test")


def needs(*programs: str, environ: Mapping[str, str] = os.environ) -> Callable[[_Test], _Test]:
    """Decorates tests that run one of `programs`, whichever there is: without it they are skipped,
    but in CI, where an AssertionError tells of it."""
    if installed(*programs):
        return lambda test: test
    what = f"{programs[0]} is not installed"
    if environ.get("CI"):
        raise AssertionError(f"{what}, and in CI no test is skipped")
    return unittest.skip(what)
