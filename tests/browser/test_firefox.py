"""The page in Firefox, where it is installed."""

import unittest

from benchmarks.harness.chat import ChatServer
from tests.browser.firefox import NAMES, Firefox
from tests.support.programs import needs

ENTER = """(document.getElementById('nick-field').value = 'ann',
    document.getElementById('nick-form').requestSubmit())"""
SEND = """(document.getElementById('composer-text').value = 'hello',
    document.getElementById('composer-text').dispatchEvent(new Event('input')),
    document.getElementById('composer').requestSubmit())"""
# The scrollbar's two colours, and how light the page is where it has none.
SCROLLBAR = "getComputedStyle(document.getElementById('log')).scrollbarColor"


@needs(*NAMES)
class FirefoxTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.server = self.enterContext(ChatServer())
        self.firefox = await self.enterAsyncContext(Firefox())

    async def enter(self, width, height):
        await self.firefox.open(self.server.url, width, height)
        await self.firefox.wait_until("document.getElementById('nick-dialog').open")
        await self.firefox.evaluate(ENTER)
        await self.firefox.wait_until("document.documentElement.dataset.link === 'connected'")
        return self.firefox

    async def test_a_message_is_sent_and_the_console_is_empty(self):
        page = await self.enter(1280, 800)
        await page.evaluate(SEND)
        await page.wait_until("document.querySelector('.message.stored .text')")
        said = await page.evaluate("document.querySelector('.message .text').textContent")
        self.assertEqual("hello", said)
        self.assertEqual([], page.errors)

    async def test_the_scrollbar_is_no_light_strip_in_the_dark(self):
        page = await self.enter(1280, 800)
        self.assertTrue(await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"))
        self.assertEqual("rgb(109, 120, 115) rgba(0, 0, 0, 0)", await page.evaluate(SCROLLBAR))

    async def test_a_drawer_is_a_dialog(self):
        page = await self.enter(360, 740)
        await page.evaluate("document.querySelector('.menu').click()")
        inside = "document.activeElement.closest('#rooms[role=dialog]')"
        self.assertTrue(await page.evaluate(f"Boolean({inside})"))
        self.assertTrue(await page.evaluate("document.querySelector('main').inert"))
