"""The token of RFC 9110 section 5.6.2, of which methods, header names and parameters are made."""

from typing import Final

__all__ = ["TCHAR", "TOKEN"]

TCHAR: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
"""One character of it, as a pattern."""

TOKEN: Final = TCHAR + "+"
"""The whole of it."""
