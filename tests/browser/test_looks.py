"""What can be measured of how the page looks, and its use without a mouse."""

import base64
import os
from pathlib import Path

from benchmarks.harness.browser import CHROMIUM, FLAGS
from tests.browser.chromium import PATIENCE, OneServerTestCase, close_all, expect

tearDownModule = close_all

DESK, TABLET, PHONE = (
    {"width": 1280, "height": 800},
    {"width": 768, "height": 1024},
    {"width": 390, "height": 844},
)
LEAST_CONTRAST = 4.5
CONTRASTS = Path(__file__).with_name("contrasts.js").read_text()
WIDER = """[...document.querySelectorAll('*')]
    .filter((node) => getComputedStyle(node).overflowX === 'visible' && node.checkVisibility())
    .filter((node) => node.clientWidth && node.scrollWidth > node.clientWidth + 1)
    .map((node) => `${node.tagName} ${node.id} ${node.className}`)"""
MOVING = """[...document.querySelectorAll('*')]
    .map((node) => getComputedStyle(node))
    .filter(({ transitionProperty, transitionDuration, animationName }) =>
        (transitionProperty !== 'none' && transitionDuration !== '0s') || animationName !== 'none')
    .length"""
# Whether the focus shows: on the element, or on the field that it stands in.
FOCUS_SHOWS = """['', 'form', '.field'].some((around) => {
    const node = document.activeElement;
    const style = getComputedStyle((around && node.closest(around)) || node);
    return style.outlineStyle !== 'none' || style.boxShadow !== 'none';
})"""
# Whether the focus is in the open dialog; between its last part and its first the browser has it.
INSIDE_DIALOG = "document.activeElement.matches('body, [role=dialog] *')"
EDGES = """(names) => names.map((name) => {
    const { left, right } = document.querySelector(name).getBoundingClientRect();
    return [Math.round(left), Math.round(right)];
})"""
COUNT_COLOURS = """async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const [width, height] = [image.width - 8, image.height - 8]; // within its border
    const canvas = new OffscreenCanvas(width, height).getContext('2d');
    canvas.drawImage(image, -4, -4);
    const { data } = canvas.getImageData(0, 0, width, height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""
# Whether a nick and a time are seen in the log as it is scrolled.
NAMED_IN_VIEW = """['.nick', 'time'].map((name) => {
    const log = document.getElementById('log').getBoundingClientRect();
    return [...document.querySelectorAll(`.message.opens ${name}`)].some((node) => {
        const { top, bottom } = node.getBoundingClientRect();
        return top >= log.top - 2 && bottom <= log.bottom;
    });
})"""
TIMES_SHOWN = """(all) => all.map((time) =>
    getComputedStyle(time).opacity === '1' && time.offsetWidth > 20)"""
RENAMES = """import('/viewpeople.js').then(({ PeopleView }) => new PeopleView().tell(
    Array.from({ length: 40 }, (_, i) => ({ event: 'nick', nick: `b${i}`, was: `a${i}` }))))"""
DRAWERS = 720  # px, at the default size of type
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3


class LooksTests(OneServerTestCase):
    options = {"chat.push_rate": 0}

    def setUp(self):
        super().setUp()
        self.tab().enter("x" * 32).send(LONG)

    def person(self, room="", **options):
        return self.tab(self.user(**options)).enter("ann", room)

    def test_every_text_can_be_read_in_both_themes(self):
        for scheme in ("light", "dark"):
            ann = self.tab(self.user(color_scheme=scheme, viewport=DESK)).open()
            ann.choose("x" * 32)
            expect(ann.page.locator("#nick-error")).not_to_be_empty()
            lowest = ann.page.evaluate(CONTRASTS)[0]
            self.assertGreaterEqual(lowest[0], LEAST_CONTRAST, (scheme, lowest))
            ann.choose(f"ann {scheme}")
            ann.wait_connected().wait_for(LONG)
            ann.page.route("**/chat/push/**", lambda route: route.fulfill(status=413, json={}))
            ann.send("refused")
            ann.page.locator(".message.failed").wait_for()
            ann.page.context.set_offline(True)
            expect(ann.page.locator("#link")).to_be_visible()
            found = ann.page.evaluate(CONTRASTS)
            self.assertGreaterEqual(found[0][0], LEAST_CONTRAST, (scheme, found[0]))
            self.assertTrue({"Try again", "You are offline.", "Here now"} <= {t for _, t in found})
            ann.errors = [e for e in ann.errors if "status of 4" not in e]

    def test_nothing_is_wider_than_its_place(self):
        for name, size in (("desk", DESK), ("tablet", TABLET), ("phone", PHONE)):
            ann = self.tab(self.user(viewport=size)).open("r" * 64)
            ann.choose(f"ann {name}")
            ann.wait_connected().page.evaluate(f"location.hash = '{self.room}'")
            ann.wait_for(LONG)
            self.assertEqual([], ann.page.evaluate(WIDER), name)
            width = ann.page.evaluate("document.documentElement.scrollWidth")
            self.assertEqual(size["width"], width, name)
            self.screenshot(ann, f"long-words-{name}")

    def test_log_and_message_box_share_both_edges_and_the_title_one(self):
        ann = self.person(viewport=DESK)
        ann.send("an edge")
        ann.wait_for("an edge")
        places = [".message:not(.own) .text", ".message.opens time", "#composer", "#room-title"]
        for width in (360, 721, 768, 800, 1000, 1041, 1100, 1150, 1200, 1440, 2560):
            ann.page.set_viewport_size({"width": width, "height": 800})
            text, time, composer, title = ann.page.evaluate(EDGES, places)
            self.assertEqual(composer[0], text[0], width)
            self.assertEqual(composer[1], time[1], width)
            if width > DRAWERS:  # narrower, the button for the rooms stands before it
                self.assertEqual(composer[0], title[0], width)
            self.assertGreater(composer[1] - composer[0], min(300, 0.5 * width), width)

    def test_one_s_own_name_is_not_cut_for_the_words_beside_it(self):
        for width in (360, 768, 1440):
            ann = self.tab(self.user(viewport={"width": width, "height": 800}))
            ann.enter(f"Annabella {width}")
            name = ann.page.locator("#me-nick")
            self.assertTrue(name.evaluate("(node) => node.scrollWidth <= node.clientWidth"), width)

    def test_a_notice_of_two_lines_has_its_button_beside_the_first(self):
        ann = self.person(viewport=TABLET)
        ann.page.evaluate("location.hash = 'bad%20room!'")
        line, button = (ann.page.locator(f"#link-{name}") for name in ("line", "retry"))
        expect(button).to_have_text("Close")
        line, button = line.bounding_box(), button.bounding_box()
        self.assertGreater(line["height"], 1.5 * button["height"])
        self.assertAlmostEqual(line["y"], button["y"], delta=2)
        ann.errors = [error for error in ann.errors if "status of 400" not in error]

    def test_words_keep_their_room_with_large_type(self):
        browser = self.browser.browser_type.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--blink-settings=defaultFontSize=24"]
        )
        self.addCleanup(browser.close)
        for width in (1280, 1000, 700):
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.goto(f"{self.server.url}#{self.room}")
            page.fill("#nick-field", f"ann {width}")
            page.press("#nick-field", "Enter")
            page.locator(".text").first.wait_for()
            self.assertEqual("24px", page.evaluate("getComputedStyle(document.body).fontSize"))
            column = page.locator(".text").first.bounding_box()["width"]
            self.assertGreater(column, 20 * 24, width)
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.goto(f"{self.server.url}#garden")
        page.fill("#nick-field", "ann 360")
        page.press("#nick-field", "Enter")
        expect(page.locator("#link-word")).to_have_text("Connected")
        word, leave = page.evaluate(EDGES, ["#link-word", "#room-leave"])
        self.assertLess(word[1], leave[0])
        page.context.set_offline(True)
        expect(page.locator("#link-retry")).to_be_visible()
        self.assertLess(page.locator("#link-retry").bounding_box()["height"], 2 * 24)
        self.assertLess(page.locator("#link-line").bounding_box()["height"], 2 * 24)
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder, "large-type.png"))

    def test_icons_and_marks_are_seen_in_forced_colours(self):
        ann = self.person(viewport=PHONE, forced_colors="active")
        ann.page.evaluate("location.hash = 'garden'")
        expect(ann.page.locator("#room-leave")).to_be_visible()
        seen = [".menu", "#room-leave", ".people-button .glyph", ".send"]
        for name in seen:
            self.assertGreater(self.colours(ann.page.locator(name)), 1, name)
        for button, drawer in ((".menu", "#rooms"), (".people-button", "#people")):
            ann.page.click(button)
            for glyph in ann.page.locator(f"{drawer} .glyph").all():
                opaque = "(node) => getComputedStyle(node.parentNode).opacity === '1'"
                if glyph.is_visible() and glyph.evaluate(opaque):
                    self.assertGreater(self.colours(glyph), 1, drawer)
            ann.page.keyboard.press("Escape")
        ann.page.click(".menu")
        ann.page.focus("#room-name")
        for glyph in ann.page.locator("#room-choice .glyph").all():
            self.assertGreater(self.colours(glyph), 1, "choice")

    def colours(self, place):
        """How many colours an element is painted in."""
        data = base64.b64encode(place.screenshot(animations="disabled")).decode()
        return place.page.evaluate(COUNT_COLOURS, data)

    def test_a_name_that_does_not_fit_is_whole_in_its_title(self):
        room, nick = "r" * 64, "W" * 32
        ann = self.tab(self.user(viewport=DESK)).open(room)
        ann.choose(nick)
        ann.wait_connected().send("hello")
        ann.wait_for("hello")
        for place in ("h1", "#room-list a[aria-current] bdi"):
            expect(ann.page.locator(place)).to_have_attribute("title", room)
        for place in ("#me-nick", "#people-list .nick", ".message .nick"):
            expect(ann.page.locator(place)).to_have_attribute("title", nick)

    def test_a_title_from_right_to_left_stands_at_the_mark(self):
        ann = self.person(room="غرفة", viewport=DESK)
        title, mark = (ann.page.locator(name).bounding_box() for name in ("h1", ".beacon"))
        self.assertAlmostEqual(title["x"], mark["x"], delta=1)
        expect(ann.page.locator("#composer-text")).to_have_attribute("dir", "auto")
        self.assertTrue(ann.page.title().startswith("\u2068غرفة\u2069 · "))

    def test_a_link_that_is_lost_has_another_shape_and_word(self):
        ann = self.person(viewport=PHONE)
        expect(ann.page.locator("#link-word")).to_have_text("Connected")
        disc = ann.page.locator(".beacon").bounding_box()
        ann.page.context.set_offline(True)
        expect(ann.page.locator("#link-word")).to_have_text("Offline")
        bar = ann.page.locator(".beacon").bounding_box()
        self.assertNotEqual(disc["height"], bar["height"])

    def test_times_are_in_the_language_of_the_page_and_the_hours_of_the_reader(self):
        for locale, shape in (("de-DE", r"\d\d:\d\d"), ("en-US", r"\d\d:\d\d [AP]M")):
            ann = self.tab(self.user(locale=locale)).enter(f"ann {locale}").wait_for(LONG)
            time = ann.page.locator(".message time").first
            self.assertRegex(time.text_content(), f"^{shape}$")
            self.assertRegex(
                time.get_attribute("title"), r"^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, "
            )

    def test_the_name_and_the_time_of_a_long_turn_are_in_view_wherever_one_reads(self):
        bob = self.tab().enter("bob")
        for number in range(40):
            bob.page.request.post(
                f"{bob.url}chat/push/{self.room}", data=f"line {number} of a long story"
            )
        bob.page.request.post(f"{bob.url}chat/push/{self.room}", data="on and on " * 390)
        ann = self.person(viewport=PHONE, has_touch=True)
        ann.wait_for(("on and on " * 390).strip())
        ann.page.mouse.move(200, 300)
        for _ in range(8):
            self.assertEqual([True, True], ann.page.evaluate(NAMED_IN_VIEW))
            ann.page.evaluate("document.getElementById('log').scrollTop -= 250")
            ann.page.wait_for_timeout(50)

    def test_each_time_is_seen_by_touch(self):
        bob = self.tab().enter("bob")
        for text in ("one", "two", "three"):
            bob.send(text)
        bob.wait_for("three")
        ann = self.person(viewport=PHONE, has_touch=True).wait_for("three")
        shown = ann.page.locator(".message time").evaluate_all(TIMES_SHOWN)
        self.assertEqual([True] * 4, shown)

    def test_people_who_are_seen_together_have_colours_of_their_own(self):
        hues = self.person().page.evaluate(
            "import('/text.js').then(({ hueOf }) => [...'abcdefghijkl'].map(hueOf))"
        )
        self.assertEqual(12, len(set(hues)))

    def test_many_who_change_their_names_are_one_short_line(self):
        ann = self.person()
        ann.page.evaluate(RENAMES)
        expect(ann.page.locator("#news")).to_have_text("40 names changed.")

    def test_whoever_wants_no_motion_sees_none(self):
        ann = self.person(viewport=PHONE, reduced_motion="reduce")
        self.assertEqual(0, ann.page.evaluate(MOVING))
        still = self.tab(self.user(viewport=PHONE)).enter("bob")
        self.assertGreater(still.page.evaluate(MOVING), 0)

    def test_who_comes_and_goes_is_one_line(self):
        ann = self.person(viewport=PHONE)
        place = ann.page.locator("#composer").bounding_box()
        for number in range(6):
            other = self.user()
            other.request.post(f"{ann.url}chat/nick", data=f"guest number {number}")
            other.request.get(f"{ann.url}chat/pull/{self.room}")
        expect(ann.page.locator("#news")).to_contain_text("came in.")
        self.assertEqual(place, ann.page.locator("#composer").bounding_box())


class KeyboardTests(OneServerTestCase):
    def focused(self, tab):
        return tab.page.evaluate(
            """(({ id, tagName, textContent, ariaLabel }) =>
                tagName === 'BODY' ? tagName : id || ariaLabel || textContent.trim())
                (document.activeElement)"""
        )

    def test_everything_is_reached_by_tab_and_seen_to_be(self):
        ann = self.tab(self.user(viewport=DESK)).enter("ann", room="garden")
        reached = []
        for _ in range(20):
            ann.page.keyboard.press("Tab")
            name = self.focused(ann)
            if name != "BODY":
                reached.append(name)
                shows = ann.page.evaluate(FOCUS_SHOWS)
                self.assertTrue(shows, f"the focus on {name} is not seen")
        for name in ("Skip to the message box", self.room, "garden", "room-name", "nick-change",
                     "log", "composer-text", "room-leave"):  # fmt: skip
            self.assertIn(name, reached)

    def test_what_has_the_focus_keeps_it_while_others_talk(self):
        ann, bob = self.tab().enter("ann", room="garden"), self.tab().enter("bob")
        link = ann.page.locator("#room-list a", has_text=self.room)
        link.focus()
        bob.send("hello")
        expect(ann.page.locator("#room-list .count")).to_have_text("1")
        expect(link).to_be_focused()

    def test_what_has_the_focus_keeps_it_while_people_and_rooms_come_and_go(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        other = self.tab(ann.page.context).open().wait_connected()
        button = ann.page.locator(".person-acts", has_text="bob")
        button.focus()
        aaron = self.tab().enter("aaron")
        expect(ann.people()).to_have_text(["ann", "aaron", "bob"])
        self.close(aaron.page.context)
        expect(ann.people()).to_have_text(["ann", "bob"])
        other.rename("zoe")
        expect(ann.people()).to_have_text(["zoe", "bob"])
        expect(button).to_be_focused()
        link = ann.page.locator("#room-list a", has_text=self.room)
        link.focus()
        other.open("garden")
        expect(ann.page.locator("#room-list a")).to_have_text([self.room, "garden"])
        expect(link).to_be_focused()
        bob.send("still here")
        ann.wait_for("still here")

    def test_the_chat_is_used_without_a_mouse(self):
        ann = self.tab(self.user(viewport=PHONE)).open()
        keys = ann.page.keyboard
        keys.type("ann")  # the field of the dialog has the focus
        keys.press("Enter")
        ann.wait_connected()
        ann.page.locator(".people-button").focus()
        keys.press("Enter")
        expect(ann.page.locator("#people")).to_be_in_viewport()
        keys.press("Escape")
        expect(ann.page.locator(".people-button")).to_be_focused()
        ann.page.locator(".menu").focus()
        keys.press("Enter")
        expect(ann.page.locator("#room-list a")).to_be_focused()
        ann.page.locator("#room-name").focus()
        keys.type("garden")
        keys.press("Enter")
        expect(ann.page.locator("h1")).to_have_text("garden")
        ann.page.locator("#composer-text").focus()
        keys.type("by hand")
        keys.press("Enter")
        ann.wait_for("by hand")

    def test_a_closed_drawer_is_not_reached(self):
        ann = self.tab(self.user(viewport=PHONE)).enter("ann")
        self.assertEqual(
            [True, True],
            ann.page.evaluate("['rooms', 'people'].map((id) => document.getElementById(id).inert)"),
        )

    def test_an_open_drawer_is_a_dialog_and_takes_the_focus(self):
        ann = self.tab(self.user(viewport=PHONE, has_touch=True)).enter("ann")
        for name, button in (("Rooms", ".menu"), ("People", ".people-button")):
            ann.page.tap(button)
            drawer = ann.page.get_by_role("dialog", name=name)
            expect(drawer).to_have_attribute("aria-modal", "true")
            for _ in range(12):
                self.assertTrue(ann.page.evaluate(INSIDE_DIALOG), name)
                ann.page.keyboard.press("Tab")
            self.assertTrue(ann.page.evaluate("document.querySelector('main').inert"))
            drawer.get_by_role("button", name="Close").tap()
            expect(drawer).to_have_count(0)
            expect(ann.page.locator(button)).to_be_focused()
            self.assertFalse(ann.page.evaluate("document.querySelector('main').inert"))

    def test_a_drawer_of_a_window_that_grows_is_a_part_of_the_page_again(self):
        ann = self.tab(self.user(viewport=PHONE)).enter("ann")
        ann.page.click(".menu")
        expect(ann.page.get_by_role("dialog")).to_have_count(1)
        ann.page.set_viewport_size(DESK)
        expect(ann.page.get_by_role("dialog")).to_have_count(0)
        for part in ("#rooms", "#people", "main"):
            self.assertFalse(ann.page.locator(part).evaluate("(node) => node.inert"), part)
        expect(ann.page.locator("#shade")).to_be_hidden()

    def test_the_message_box_is_skipped_to_in_the_room_that_is_open(self):
        ann = self.tab().enter("ann")
        ann.page.locator(".skip").focus()
        ann.page.keyboard.press("Enter")
        expect(ann.page.locator("#composer-text")).to_be_focused()
        expect(ann.page.locator("h1")).to_have_text(self.room)
        expect(ann.page.locator("#room-list a")).to_have_text([self.room])


class ReadAloudTests(OneServerTestCase):
    def test_own_messages_are_read_out_once_and_refusals_are(self):
        ann = self.tab().enter("ann")
        log = ann.page.locator("#log")
        self.assertEqual(("log", "polite"), tuple(map(log.get_attribute, ("role", "aria-live"))))
        ann.page.route("**/chat/push/**", lambda route: route.abort())
        ann.send("on its way")
        waiting = ann.page.locator(".message.waiting, .message.sending")
        expect(waiting).to_have_attribute("aria-live", "off")
        expect(waiting.locator(".fate")).to_have_text("Not sent yet. It goes out by itself.")
        ann.page.unroute("**/chat/push/**")
        ann.wait_for("on its way")
        self.assertIsNone(ann.page.locator(".message.stored").get_attribute("aria-live"))
        ann.page.route("**/chat/push/**", lambda route: route.fulfill(status=400, json={}))
        ann.send("refused")
        expect(ann.page.locator(".message.failed [role=alert]")).to_contain_text("Not sent.")
        ann.errors = [error for error in ann.errors if "status of 400" not in error]

    def test_every_control_has_a_name(self):
        ann = self.tab().enter("ann")
        tree = ann.page.locator("body").aria_snapshot(timeout=PATIENCE)
        for part in ('textbox "Message"', 'button "Send"', f'link "{self.room}"', 'button "Join"',
                     'textbox "Join or open a room"', f'heading "{self.room}" [level=1]',
                     f'log "Messages in {self.room}"'):  # fmt: skip
            self.assertIn(part, tree)
        self.assertNotRegex(tree, r"(?m)^\s*- (button|link|textbox)(:|$)")
