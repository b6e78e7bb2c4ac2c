"""The page in real Chromium."""

from tests.browser.chromium import close_browser


def teardown_package() -> None:
    close_browser()
