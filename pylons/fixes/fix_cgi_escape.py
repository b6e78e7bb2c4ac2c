"""`cgi.escape` left Python in 3.8; `html.escape` is its heir, which escapes quotes by default."""

from typing import Any

from fissix.fixer_base import BaseFix
from fissix.fixer_util import ArgList, Attr, Comma, KeywordArg, Name, Node, syms, touch_import

__all__ = ["FixCgiEscape"]


class FixCgiEscape(BaseFix):  # type: ignore[misc]
    """A call by the full name."""

    BM_compatible = True
    PATTERN = "power< 'cgi' trailer< '.' 'escape' > trailer< '(' args=any ')' > >"

    def transform(self, node: Any, results: Any) -> Any:
        """The call of `html.escape` that gives the same."""
        given = results["args"].clone()
        alone = given.type not in (syms.arglist, syms.argument)
        quote = [Comma(), KeywordArg(Name(" quote"), Name("False"))] if alone else []
        touch_import(None, "html", node)
        name = Attr(Name("html"), Name("escape"))
        return Node(syms.power, [*name, ArgList([given, *quote])], prefix=node.prefix)
