"""Chromium as the page is seen by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.harness.programs import installed

__all__ = ["CHROMIUM", "FLAGS", "NAMES", "Chromium", "running"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = installed(*NAMES)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Chromium:
    """A browser without a window, until `close`."""

    def __init__(self) -> None:
        self._playwright = sync_playwright().start()
        self.browser: Any = self._playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

    def close(self) -> None:
        """End it, and what drives it."""
        self.browser.close()
        self._playwright.stop()


@contextmanager
def running() -> Iterator[Any]:
    """The browser, until the end of the block."""
    chromium = Chromium()
    try:
        yield chromium.browser
    finally:
        chromium.close()
