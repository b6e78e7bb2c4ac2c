"""What a camera reads of what a page shows."""

from __future__ import annotations

import base64
from typing import Any

import zxingcpp

__all__ = ["read_code"]

GREY = """async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const { width, height } = image;
    const canvas = new OffscreenCanvas(width, height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, width, height);
    return { width, height, grey: Array.from(data).filter((_, index) => index % 4 === 1) };
}"""


def read_code(locator: Any) -> str:
    """The text of the one code in that part of a page."""
    picture = base64.b64encode(locator.screenshot()).decode()
    pixels = locator.page.evaluate(GREY, picture)
    shape = (pixels["height"], pixels["width"])
    [found] = zxingcpp.read_barcodes(memoryview(bytes(pixels["grey"])).cast("B", shape))
    return str(found.text)
