"""WebHelpers lives on as WebHelpers2; its `pylonslib` is a package of Pylons."""

from typing import Any

from fissix.fixer_base import BaseFix
from fissix.fixer_util import Name

__all__ = ["FixWebhelpers"]


class FixWebhelpers(BaseFix):  # type: ignore[misc]
    """The first part of a dotted name, and `html.converters`, which is `html.tools`."""

    PATTERN = "'webhelpers'"

    def match(self, node: Any) -> Any:
        """The name, unless it is an attribute of something else."""
        before = node.prev_sibling
        return super().match(node) if before is None or str(before).strip() != "." else False

    def transform(self, node: Any, results: Any) -> Any:
        """The name of what it is now."""
        behind = list(_leaves_behind(node))
        dotted = "".join(str(leaf).strip() for leaf in behind)
        if dotted.startswith(".html.converters"):
            converters = behind[3]
            converters.replace(Name("tools", prefix=converters.prefix))
        package = "pylons" if dotted.startswith(".pylonslib") else "webhelpers2"
        return Name(package, prefix=node.prefix)


def _leaves_behind(node: Any) -> Any:
    while (node := node.next_sibling) is not None:
        yield from node.leaves()
