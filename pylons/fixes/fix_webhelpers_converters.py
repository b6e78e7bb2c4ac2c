"""`converters` of `webhelpers.html` is `tools` of `webhelpers2.html`."""

from typing import Any

from fissix.fixer_base import BaseFix
from fissix.fixer_util import Name

__all__ = ["FixWebhelpersConverters"]


class FixWebhelpersConverters(BaseFix):  # type: ignore[misc]
    """`from webhelpers.html import converters`, alone, among others, or by another name."""

    BM_compatible = True
    PATTERN = """import_from< 'from' dotted_name< ('webhelpers' | 'webhelpers2') '.' 'html' >
        'import' ['('] (own='converters' | import_as_name< named='converters' 'as' any >
            | import_as_names< any*
                (own='converters' | import_as_name< named='converters' 'as' any >) any* >)
        [')'] >"""

    def transform(self, node: Any, results: Any) -> None:
        """The module that it is now, by the same name."""
        if "named" in results:
            named = results["named"]
            named.replace(Name("tools", prefix=named.prefix))
        else:
            own = results["own"]
            own.replace(Name("tools as converters", prefix=own.prefix))
