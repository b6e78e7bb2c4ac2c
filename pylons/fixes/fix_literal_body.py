"""An error controller made a literal of `response.body`, which is bytes in Python 3."""

from typing import Any

from fissix.fixer_base import BaseFix
from fissix.fixer_util import Name

__all__ = ["FixLiteralBody"]


class FixLiteralBody(BaseFix):  # type: ignore[misc]
    """`literal(NAME.body)`."""

    BM_compatible = True
    PATTERN = """power< 'literal' trailer< '('
        power< any trailer< '.' body='body' > > ')' > >"""

    def transform(self, node: Any, results: Any) -> None:
        """The body as text."""
        body = results["body"]
        body.replace(Name("text", prefix=body.prefix))
