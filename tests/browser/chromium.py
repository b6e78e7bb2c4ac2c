"""Real Chromium for the page's tests: users, pages, what went wrong in them, screenshots."""

from __future__ import annotations

import itertools
import json
import os
import re
import time
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.harness.browser import NAMES, Chromium
from benchmarks.harness.chat import ROOT, ChatServer
from tests.support.programs import needs

__all__ = [
    "ChatPage",
    "ModuleTestCase",
    "OneServerTestCase",
    "PageTestCase",
    "close_all",
    "close_browser",
    "expect",
    "show_as",
]

PATIENCE = 30_000  # ms; a page may be at the end of its longest retry delay
NETWORK_LOSS = re.compile(
    r"Failed to load resource: (net::|the server responded with a status of 503)"
)

# A report of the Content-Security-Policy reaches the page as an event: have the test see it.
WATCH_POLICY = """addEventListener('securitypolicyviolation',
    (event) => console.error('CSP', event.violatedDirective, event.blockedURI))"""

HIDE = """(state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""

# A page that has not been here yet is in the room of its test alone.
JOINED = "if (location.protocol === 'http:') localStorage['chat.joined'] ??= %s"

_open: list[Chromium] = []  # once it runs
_servers: dict[str, ChatServer] = {}  # that run, by their options
_rooms = itertools.count(1)


def open_browser() -> Any:
    """The browser of a class or a module of tests, which closes it."""
    if not _open:
        expect.set_options(timeout=PATIENCE)
        _open.append(Chromium())
    return _open[0].browser


def close_browser() -> None:
    """End it, if it runs."""
    while _open:
        _open.pop().close()


def close_all() -> None:
    """End what the tests of a module shared."""
    close_browser()
    while _servers:
        _servers.popitem()[1].__exit__()


class ChatPage:
    """A tab of a user, with the page's parts by name."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        self.polls = 0  # polls under way
        self._debugger: Any = None
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._count(request, 1))
        page.on("requestfinished", lambda request: self._count(request, -1))
        page.on("requestfailed", lambda request: self._count(request, -1))
        page.set_default_timeout(PATIENCE)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _count(self, request: Any, step: int) -> None:
        if "/chat/pull" in request.url:
            self.polls += step

    @property
    def unexpected(self) -> list[str]:
        """Console errors and policy reports, but for requests that found no server."""
        return [error for error in self.errors if not NETWORK_LOSS.match(error)]

    def open(self, room: str = "") -> ChatPage:
        self.page.goto(f"{self.url}#{room}" if room else self.url)
        return self

    def enter(self, nick: str, room: str = "") -> ChatPage:
        """Open the page, choose a nick, and wait until the poll has joined."""
        self.open(room)
        self.choose(nick)
        self.wait_chosen()
        return self.wait_connected()

    def rename(self, nick: str) -> ChatPage:
        """Choose another nick, and wait until it is ours."""
        self.page.click("#nick-change")
        self.choose(nick)
        return self.wait_chosen()

    def choose(self, nick: str) -> None:
        self.page.fill("#nick-field", nick)
        self.page.press("#nick-field", "Enter")

    def wait_chosen(self) -> ChatPage:
        """Until the dialog is gone: what is typed before that goes into it, whatever it is for."""
        expect(self.page.locator("#nick-dialog")).to_be_hidden()
        return self

    def wait_until(self, expression: str) -> ChatPage:
        """Until `expression` is true. (The policy forbids wait_for_function.)"""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"{expression} does not become true"
            self.page.wait_for_timeout(20)
        return self

    def wait_connected(self) -> ChatPage:
        self.page.locator("html[data-link=connected]").wait_for(state="attached")
        return self

    def wait_idle(self) -> ChatPage:
        """Until no poll is under way."""
        deadline = time.monotonic() + PATIENCE / 1000
        while self.polls:
            assert time.monotonic() < deadline, "a poll is under way"
            self.page.wait_for_timeout(20)
        return self

    def hold(self, url: str) -> list[Any]:
        """Where the requests to `url` come to be, which wait from now on."""
        held: list[Any] = []
        self.page.route(url, lambda route: held.append(route))
        return held

    def wait_held(self, held: list[Any]) -> Any:
        """The first of them, once there is one."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not held:
            assert time.monotonic() < deadline, "nothing is asked for"
            self.page.wait_for_timeout(20)
        return held[0]

    def suspend(self) -> None:
        """Stop its scripts where they are, as a system does to save its battery."""
        self._debugger = self.page.context.new_cdp_session(self.page)
        self._debugger.send("Debugger.enable")
        self._debugger.send("Debugger.pause")

    def resume(self) -> None:
        self._debugger.send("Debugger.disable")

    def send(self, text: str) -> None:
        self.page.fill("#composer-text", text)
        self.page.press("#composer-text", "Enter")

    def message(self, text: str) -> Any:
        return self.page.locator(".message .text").get_by_text(text, exact=True)

    def wait_for(self, text: str) -> ChatPage:
        """Until `text` stands in the log as a stored message."""
        self.page.locator(".message.stored .text").get_by_text(text, exact=True).wait_for()
        return self

    def transcript(self) -> list[str]:
        """The stored messages in view, as "nick: text"."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('.message.stored')].map((message) =>
                ['.nick', '.text'].map((part) => message.querySelector(part).textContent))
                .map((parts) => parts.join(': '))"""
        )

    def people(self) -> Any:
        return self.page.locator("#people-list .nick")


def show_as(tab: ChatPage, state: str) -> None:
    """Headless pages under test are always in front, so the browser's word is put in its mouth."""
    tab.page.evaluate(HIDE, state)


@needs(*NAMES)
class PageTestCase(unittest.TestCase):
    """One browser for a class, one server a test. Fails after a test whose pages had errors."""

    server: ChatServer
    options: ClassVar[dict[str, object]] = {}  # of the chat

    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = open_browser()

    @classmethod
    def tearDownClass(cls) -> None:
        close_browser()

    def setUp(self) -> None:
        self.tabs: list[ChatPage] = []
        self.users: list[BrowserContext] = []
        self.server = self.serve()
        self.addCleanup(self._close_users)

    def serve(self) -> ChatServer:
        """The server of this test."""
        return self.enterContext(ChatServer(app=self.options))

    def _close_users(self) -> None:
        for user in self.users[:]:
            self.close(user)
        self.assertEqual([], [error for tab in self.tabs for error in tab.unexpected])

    def close(self, user: BrowserContext) -> None:
        self.users.remove(user)
        user.close()

    def user(self, **options: Any) -> BrowserContext:
        """A browser of its own: no cookie, no storage. `options` go to playwright's new_context."""
        user = self.browser.new_context(**{"locale": "en-GB", **options})
        user.add_init_script(WATCH_POLICY)
        self.users.append(user)
        return user

    def tab(self, user: BrowserContext | None = None) -> ChatPage:
        """A tab of `user`, or of a new one."""
        tab = ChatPage((user or self.user()).new_page(), self.server.url)
        self.tabs.append(tab)
        return tab

    def screenshot(self, tab: ChatPage, name: str) -> None:
        """Keep one in the folder that SCREENSHOTS names, if it does."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            tab.page.screenshot(path=Path(folder, f"{name}.png"))


class OneServerTestCase(PageTestCase):
    """One browser for a module, and one server for each set of options: `tearDownModule` is
    `close_all`. A test has the room `room` for itself, and its nicks are free after it."""

    @classmethod
    def tearDownClass(cls) -> None:
        """Nothing: the next class goes on with the browser."""

    def setUp(self) -> None:
        self.room = f"room-{next(_rooms)}"
        super().setUp()

    def serve(self) -> ChatServer:
        kind = repr(self.options)
        if kind not in _servers:
            # Tests of one server have the same names, one after the other.
            server = ChatServer(app={"chat.nick_keep": 0, **self.options})
            server.environment["PYTHONPATH"] = str(ROOT)  # options may name functions of tests
            server.start()
            _servers[kind] = server
        return _servers[kind]

    def user(self, joined: Iterable[str] | None = None, **options: Any) -> BrowserContext:
        """One that is in the rooms `joined`: by default in that of the test, and if there are none
        in that of the page."""
        user = super().user(**options)
        names = [self.room] if joined is None else list(joined)
        if names:
            user.add_init_script(JOINED % json.dumps(json.dumps(names)))
        return user

    def close(self, user: BrowserContext) -> None:
        # Else the pages would come back under their nicks.
        for page in user.pages:
            page.close()
        user.set_offline(False)
        user.request.delete(f"{self.server.url}chat/nick")
        super().close(user)


class ModuleTestCase(OneServerTestCase):
    """For modules of the page by themselves, in the page `self.page`."""

    def setUp(self) -> None:
        super().setUp()
        self.page = self.tab().open().page

    def run_in(self, module: str, script: str, *arguments: Any) -> Any:
        """What `script`, a function of the module's names, gives for `arguments`."""
        return self.page.evaluate(
            f"async (given) => ({script})(await import('/{module}'), ...given)", arguments
        )
