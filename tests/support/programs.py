"""Programs that tests run and that pip cannot install."""

import os
import shutil
import unittest
from collections.abc import Callable, Mapping
from typing import TypeVar

__all__ = ["needs"]

_Test = TypeVar("_Test")


def needs(program: str, environ: Mapping[str, str] = os.environ) -> Callable[[_Test], _Test]:
    """Decorates tests that run `program`: without it they are skipped, but in CI, where an
    AssertionError tells of it."""
    if shutil.which(program) is not None:
        return lambda test: test
    what = f"{program} is not installed"
    if environ.get("CI"):
        raise AssertionError(f"{what}, and in CI no test is skipped")
    return unittest.skip(what)
