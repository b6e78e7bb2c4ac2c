"""QR codes (ISO/IEC 18004) of links, as what a page draws."""

from itertools import groupby
from typing import Any

import segno

__all__ = ["qr_of"]

_MARGIN = 4  # modules that are left white around it: ISO/IEC 18004 6.3.8


def qr_of(text: str) -> dict[str, Any]:
    """`path`: the dark modules as the `d` of an SVG path, in a square of `size` modules."""
    code = segno.make(text, error="m", micro=False, boost_error=False)
    steps = []
    for y, row in enumerate(code.matrix, _MARGIN):
        x = _MARGIN
        for dark, run in groupby(row):
            count = len(list(run))
            if dark:
                steps.append(f"M{x} {y}h{count}v1h-{count}z")
            x += count
    return {"size": len(code.matrix) + 2 * _MARGIN, "path": "".join(steps)}
