"""A Mako lookup has lines of Python in strings: `imports=["from webhelpers.html import x"]`."""

import re
from typing import Any, Final

from fissix.fixer_base import BaseFix
from fissix.fixer_util import String

__all__ = ["FixWebhelpersInStrings"]

_IMPORT: Final = re.compile(r"(?<=['\"])((?:from|import)\s+)webhelpers\b(?!\.pylonslib)")
_PYLONSLIB: Final = re.compile(r"(?<=['\"])((?:from|import)\s+)webhelpers\.pylonslib\b")

_CONVERTERS: Final = re.compile(r"(?<=['\"])((?:from|import)\s+webhelpers2\.html\.)converters\b")
_OWN_CONVERTERS: Final = re.compile(
    r"(?<=['\"])(from\s+webhelpers2\.html\s+import\s+(?:.*,\s*)?)converters\b(?!\s+as\b)"
)


class FixWebhelpersInStrings(BaseFix):  # type: ignore[misc]
    """A string that is such a line."""

    PATTERN = "STRING"

    def transform(self, node: Any, results: Any) -> Any:
        """The line of what it is now."""
        line = _PYLONSLIB.sub(r"\1pylons.pylonslib", _IMPORT.sub(r"\1webhelpers2", node.value))
        line = _CONVERTERS.sub(r"\1tools", _OWN_CONVERTERS.sub(r"\1tools as converters", line))
        return None if line == node.value else String(line, prefix=node.prefix)
