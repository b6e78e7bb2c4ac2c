"""Routes' middleware takes bytes of paths for letters, and fails at forms that it cannot read."""

from typing import Any

from fissix.fixer_base import BaseFix
from fissix.fixer_util import Name

__all__ = ["FixRoutesMiddleware"]


class FixRoutesMiddleware(BaseFix):  # type: ignore[misc]
    """`from routes.middleware import RoutesMiddleware`."""

    BM_compatible = True
    PATTERN = """import_from< 'from' dotted_name< routes='routes' '.' 'middleware' > 'import'
        ['('] ('RoutesMiddleware' | import_as_name< 'RoutesMiddleware' 'as' any >) [')'] >"""

    def transform(self, node: Any, results: Any) -> None:
        """It is in `pylons.middleware`."""
        routes = results["routes"]
        routes.replace(Name("pylons", prefix=routes.prefix))
