"""What a page draws of a link is what a camera reads."""

import re
import unittest

import zxingcpp

from chatapp.lib.qr import qr_of

SCALE = 4  # pixels of a module


def painted(code):
    """Rows of grey pixels: what a browser paints."""
    size = code["size"] * SCALE
    rows = [bytearray(b"\xff" * size) for _ in range(size)]
    steps = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", code["path"])
    assert "".join("M{} {}h{}v1h-{}z".format(*step) for step in steps) == code["path"]
    for step in steps:
        x, y, width, _ = (int(number) * SCALE for number in step)
        for row in rows[y : y + SCALE]:
            row[x : x + width] = bytes(width)
    return memoryview(b"".join(rows)).cast("B", (size, size))


class QrTests(unittest.TestCase):
    def test_a_camera_reads_the_link(self):
        for link in (
            "http://127.0.0.1:5000/device/abcdefghijklmnopqrstuv",
            f"https://chat.example/{'x' * 200}/device/abcdefghijklmnopqrstuv",
        ):
            [found] = zxingcpp.read_barcodes(painted(qr_of(link)))
            self.assertEqual(link, found.text)
