"""What the page keeps, what it finds in storage, and what it is told by the server."""

import json
import re
import unicodedata
import unittest
from pathlib import Path
from urllib.parse import quote

import chatapp
from tests.browser.chromium import OneServerTestCase, close_all, expect
from tests.support.middlebox import Middlebox, straight

tearDownModule = close_all

PUBLIC = Path(chatapp.__file__).with_name("public")


class StorageTests(OneServerTestCase):
    def test_values_of_another_shape_count_as_none(self):
        others = ('{"a":1}', '"text"', "null", "[]", "[1]", "7", "{", "true", '{"lobby":"x"}')
        names = (
            "nick",
            "joined",
            "read",
            "cursor",
            "client",
            "draft.lobby",
            "out.x",
            "out.y",
            "lease",
        )
        tab = self.tab().open()
        for number, other in enumerate(others):
            kept = {f"chat.{name}": other for name in names}
            tab.page.evaluate("(kept) => Object.assign(localStorage, kept)", kept)
            tab.page.reload()
            if tab.page.locator("#nick-dialog").is_visible():  # '"text"' is a nick
                tab.choose(f"ann {number}")
            tab.wait_connected().send(f"after {other}")
            tab.wait_for(f"after {other}")
            tab.page.reload()
            tab.wait_for(f"after {other}").wait_connected()

    def test_another_application_may_clear_it(self):
        ann = self.tab().enter("ann")
        other = self.tab(ann.page.context).open().wait_connected()
        other.page.evaluate("localStorage.clear()")
        ann.send("still here")
        other.wait_for("still here")


class DraftTests(OneServerTestCase):
    def test_a_draft_outlives_a_reload_in_its_room(self):
        ann = self.tab().enter("ann")
        box = ann.page.locator("#composer-text")
        box.fill("for the first")
        ann.page.evaluate("location.hash = 'garden'")
        expect(ann.page.locator("h1")).to_have_text("garden")
        expect(box).to_have_value("")
        box.fill("for the\ngarden")
        ann.page.reload()
        expect(box).to_have_value("for the\ngarden")
        ann.page.evaluate(f"location.hash = '{self.room}'")
        expect(box).to_have_value("for the first")
        box.press("Enter")
        ann.wait_for("for the first")
        ann.page.reload()
        ann.wait_for("for the first")
        expect(box).to_have_value("")

    def test_what_is_typed_before_the_scripts_are_here_is_kept(self):
        user = self.user()
        ann = self.tab(user).enter("ann")
        box = ann.page.locator("#composer-text")
        for draft, kept in (("", "typed early"), ("a draft", "a draft\ntyped early")):
            box.fill(draft)
            ann.page.close()
            ann = self.tab(user)
            box = ann.page.locator("#composer-text")
            held = ann.hold("**/page.js")
            ann.page.goto(ann.url, wait_until="commit")
            script = ann.wait_held(held)
            box.fill("typed early")
            script.continue_()
            ann.wait_connected()
            expect(box).to_have_value(kept)

    def test_a_room_that_is_entered_before_the_scripts_are_here_is_opened(self):
        user = self.user()
        self.tab(user).enter("ann")
        ann = self.tab(user)
        ann.page.route("**/page.js", lambda route: route.abort(), times=1)
        ann.page.goto(ann.url)
        ann.page.focus("#room-name")
        ann.page.keyboard.type("#Tea time")
        with ann.page.expect_navigation():
            ann.page.keyboard.press("Enter")
        expect(ann.page.locator("#room-title")).to_have_text("Tea-time")
        self.assertEqual(f"{ann.url}#Tea-time", ann.page.url)
        ann.wait_connected().page.reload()
        expect(ann.page.locator("#room-title")).to_have_text("Tea-time")


class KeyTests(OneServerTestCase):
    def test_an_enter_that_ends_a_conversion_sends_nothing(self):
        ann = self.tab().enter("ann")
        ann.page.fill("#composer-text", "日本")
        ann.page.evaluate(
            """for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
                document.getElementById('composer-text').dispatchEvent(new KeyboardEvent('keydown',
                    { key: 'Enter', bubbles: true, cancelable: true, ...how }));
            }"""
        )
        expect(ann.page.locator("#composer-text")).to_have_value("日本")
        ann.page.press("#composer-text", "Enter")
        ann.wait_for("日本")

    def test_on_touch_enter_makes_a_line_and_the_button_sends(self):
        context = self.user(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
        ann = self.tab(context).enter("ann")
        box = ann.page.locator("#composer-text")
        box.press_sequentially("one")
        box.press("Enter")
        box.press_sequentially("two")
        expect(box).to_have_value("one\ntwo")
        self.assertEqual("enter", box.get_attribute("enterkeyhint"))
        ann.page.tap("#composer-send")
        ann.wait_for("one\ntwo")


class RoomTests(OneServerTestCase):
    options = {"chat.max_rooms_per_poll": 3}

    def test_a_room_that_the_server_refuses_is_left_and_the_rest_goes_on(self):
        user = self.user(joined=[self.room, "no room", "a/b"])
        ann, bob = self.tab(user).enter("ann"), self.tab().enter("bob")
        expect(ann.page.locator("#room-list a")).to_have_text([self.room])
        expect(ann.page.locator("#link-line")).to_contain_text("A room's name")
        bob.send("all is well")
        ann.wait_for("all is well")
        ann.page.click("#link-retry")
        expect(ann.page.locator("#link")).to_be_hidden()
        ann.page.evaluate("location.hash = 'bad room!'.replace(' ', '%20')")
        expect(ann.page.locator("#link-line")).to_contain_text("A room's name")
        expect(ann.page.locator("h1")).to_have_text(self.room)
        ann.errors = [line for line in ann.errors if "status of 400" not in line]

    def test_a_room_more_than_a_poll_takes_is_not_joined(self):
        ann = self.tab().enter("ann")
        for name in ("two", "three", "four"):
            ann.page.evaluate(f"location.hash = '{name}'")
            expect(ann.page.locator("h1")).to_have_text("three" if name == "four" else name)
        expect(ann.page.locator("#link-line")).to_contain_text("3 rooms")
        expect(ann.page.locator("#room-list a")).to_have_text([self.room, "two", "three"])
        ann.wait_connected().send("in the third")
        ann.wait_for("in the third")


class SealedRoomTests(OneServerTestCase):
    options = {"chat.allow": "tests.chatapp.lib.sites:sealed"}

    def test_a_room_that_one_may_no_longer_read_is_left_and_the_rest_goes_on(self):
        ann = self.tab(self.user(joined=[self.room, "sealed"])).enter("ann")
        expect(ann.page.locator("#room-list a")).to_have_text([self.room])
        expect(ann.page.locator("#link-line")).to_have_text("You may not do that here.")
        ann.send("all is well")
        ann.wait_for("all is well")
        ann.errors = [line for line in ann.errors if "status of 403" not in line]


class CanonicalNameTests(OneServerTestCase):
    """A room that the page's address calls otherwise than the server does."""

    def setUp(self):
        super().setUp()
        self.tea = f"Tea-{self.room}"
        self.bob = self.tab().enter("bob", room=self.tea)
        self.bob.send("first")
        self.bob.wait_for("first")

    def meet(self, ann):
        """ann is in the room, by its name."""
        expect(ann.page.locator("h1")).to_have_text(self.tea)
        expect(ann.page.locator("#room-list a")).to_have_text([self.room, self.tea])
        ann.wait_until(f"location.hash === '#{self.tea}'")
        ann.wait_connected().wait_for("first").send("second")
        self.bob.wait_for("second").send("third")
        ann.wait_for("third")
        self.assertEqual(["bob: first", "ann: second", "bob: third"], ann.transcript())
        expect(ann.people()).to_have_text(["ann", "bob"])

    def test_a_room_is_called_as_the_server_calls_it(self):
        self.meet(self.tab().enter("ann", room=self.tea.lower()))

    def test_a_second_tab_that_asks_by_another_name_is_in_the_room(self):
        user = self.user()
        self.tab(user).enter("ann")
        self.meet(self.tab(user).open(self.tea.upper()))

    def test_names_of_any_script_get_what_is_said_there_however_they_are_written(self):
        ann = self.tab().enter("ann")
        # The ohm sign, Hangul by its letters, a compatibility ideograph: others once composed.
        names = ("\u2126", "e\u0301", "\u1112\u1161\u11ab", "\uf914", "हिन्दी", "עברית")
        for name in names:
            called = f"{name}{self.room}"
            ann.page.evaluate(f"location.hash = encodeURIComponent({json.dumps(called)})")
            composed = quote(unicodedata.normalize("NFC", called))
            for text in (f"{name} once", f"{name} twice"):
                self.bob.page.request.post(f"{self.bob.url}chat/push/{composed}", data=text)
                ann.wait_for(text)
        self.assertEqual(1 + len(names), ann.page.locator("#room-list a").count())

    def test_what_is_written_before_the_name_is_known_stays(self):
        ann = self.tab().enter("ann")
        ann.page.route("**/chat/pull/**", lambda route: route.abort(), times=2)
        ann.page.evaluate(f"location.hash = '{self.tea.lower()}'")
        expect(ann.page.locator("h1")).to_have_text(self.tea.lower())
        ann.page.fill("#composer-text", "not sent yet")
        expect(ann.page.locator("h1")).to_have_text(self.tea)
        expect(ann.page.locator("#composer-text")).to_have_value("not sent yet")


class ManyRoomsTests(OneServerTestCase):
    def test_a_hundred_rooms_with_long_names_of_any_script_are_one_poll(self):
        names = [f"{number:02}" + "龍" * 62 for number in range(99)]
        ann = self.tab(self.user(joined=[self.room, *names])).enter("ann")
        bob = self.tab().enter("bob", room=names[-1])
        self.assertEqual(100, ann.page.locator("#room-list a").count())
        bob.send("far down the list")
        expect(ann.page.locator("#room-list .count")).to_have_text("1")
        self.assertLessEqual(ann.polls, 1)


class VersionTests(OneServerTestCase):
    def test_a_new_version_offers_to_load_the_page_anew(self):
        box = self.enterContext(Middlebox(self.server.port))
        ann = self.tab()
        ann.url = box.url
        ann.open()
        version = ann.page.evaluate("document.documentElement.dataset.version").encode()

        def newer(request, forward):
            answer = forward(request)
            return answer._replace(body=answer.body.replace(version, b"0123456789ab"))

        box.way = newer
        ann.choose("ann")
        expect(ann.page.locator("#link-line")).to_have_text("There is a new version of this page.")
        ann.page.fill("#composer-text", "not sent yet")
        box.way = straight
        ann.page.click("#link-retry")
        expect(ann.page.locator("#link")).to_be_hidden()
        ann.wait_connected()
        expect(ann.page.locator("#composer-text")).to_have_value("not sent yet")


# What came after Chrome 109, Firefox 115 and Safari 16, or is not in all three of them.
NEWER = """for (const [object, names] of [
    [Array.prototype, ['toSorted', 'toReversed', 'toSpliced', 'with']],
    [Array, ['fromAsync']],
    [URL, ['canParse', 'parse']],
    [Object, ['groupBy']],
    [Map, ['groupBy']],
    [Promise, ['withResolvers', 'try']],
    [Set.prototype, ['union', 'intersection', 'difference', 'isSubsetOf']],
    [String.prototype, ['isWellFormed', 'toWellFormed']],
    [AbortSignal, ['any']],
    [Response, ['json']],
    [RegExp, ['escape']],
    [Intl, ['Segmenter', 'DurationFormat']],
    [URLSearchParams.prototype, ['size']],
    [Document.prototype, ['startViewTransition']],
    [Document, ['parseHTMLUnsafe']],
    [Element.prototype, ['checkVisibility', 'moveBefore', 'ariaLive', 'ariaHidden', 'ariaModal',
        'ariaBusy', 'ariaLabel', 'role']],
    [HTMLElement.prototype, ['popover', 'showPopover', 'hidePopover']],
    [window, ['Iterator', 'scheduler', 'navigation', 'CloseWatcher', 'Highlight']],
]) for (const name of names) delete object[name];
"""


# What a browser of the floor takes for a mistake: it drops the declaration, or the whole rule.
NEWER_CSS = (
    r"light-dark\(",  # Chrome 123
    r":has\(",  # Firefox 121
    r"color-mix\(",  # 111
    r"\boklab\(|\blab\(|\blch\(",  # 111
    r"\((?:from) ",  # relative colours, 119
    r"\bsubgrid\b",  # 117
    r"@scope|@starting-style|@property|@container|@position-try",  # 118, Firefox 128
    r"\bfield-sizing|\banchor-name|\bposition-anchor|\binterpolate-size|animation-timeline",
    r":popover-open|:user-(?:in)?valid|:open\b",  # 114, 119, 133
    r"\b(?:round|mod|rem|abs|sign|if|sibling-index|calc-size)\(",  # 125 and later
    r"\b\d*\.?\d+(?:cap|rcap|ric|rex|rch|cq[whib]|cqmin|cqmax)\b",  # 118, containers
    r"\{[^{}]*(?<=[;{])\s*&",  # nesting, 120
)


class StyleTests(unittest.TestCase):
    """Of the style sheets; only what stands in @supports may be newer than the floor."""

    def test_nothing_needs_a_newer_browser_than_the_page(self):
        for sheet in sorted(PUBLIC.glob("*.css")):
            text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.S)
            supported = re.sub(r"@supports[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
            for newer in (*NEWER_CSS, r"\boklch\("):
                self.assertIsNone(re.search(newer, supported), (sheet.name, newer))

    def test_both_style_sheets_have_the_same_colours(self):
        whole, few = (palettes(PUBLIC / name) for name in ("chat.css", "error.css"))
        self.assertEqual(2, len(few))
        for all_of_it, part in zip(whole, few, strict=False):
            self.assertTrue(part)
            self.assertEqual(part, {name: all_of_it[name] for name in part})


def palettes(sheet):
    """The colours of each :root of the sheet, the light one first."""
    roots = re.findall(r":root \{([^}]*)\}", sheet.read_text("utf-8"))
    return [dict(re.findall(r"(--[\w-]+): (#\w+);", root)) for root in roots]


class BrowserTests(OneServerTestCase):
    def test_the_oldest_browsers_that_are_promised_suffice(self):
        ann, bob = (self.tab(self.user()) for _ in range(2))
        for tab in (ann, bob):
            tab.page.add_init_script(NEWER)
        ann.enter("ann")
        bob.enter("bob")
        ann.send("see https://example.org/a and http://[bad")
        bob.wait_until("document.querySelector('#log a')?.href === 'https://example.org/a'")
        bob.send("well")
        ann.wait_for("well")
        self.assertEqual(2, len(ann.transcript()))
        expect(ann.page.locator("#floor")).to_have_count(0)

    def test_an_older_one_is_told_so(self):
        for without, line in (
            (
                "delete Array.prototype.at",
                "This browser is too old for this page: it lacks Array.at",
            ),
            ("delete Intl.ListFormat", "it lacks Intl.ListFormat. It needs Chrome or Edge 109,"),
        ):
            tab = self.tab()
            tab.page.add_init_script(without)
            tab.open()
            expect(tab.page.locator("#floor")).to_contain_text(line)
            # What such a browser runs of the page fails, again and again.
            tab.page.close()
            tab.errors.clear()

    def test_a_page_of_which_a_part_did_not_arrive_says_so(self):
        tab = self.tab()
        tab.page.route("**/page.js", lambda route: route.abort())
        tab.open()
        expect(tab.page.locator("#floor")).to_contain_text("a part of it did not arrive")
        tab.errors.clear()
