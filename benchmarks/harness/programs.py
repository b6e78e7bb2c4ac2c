"""Programs that pip cannot install."""

import shutil

__all__ = ["installed"]


def installed(*programs: str) -> str | None:
    """Where the first of `programs` is that the PATH has, or None."""
    return next((path for program in programs if (path := shutil.which(program))), None)
