"""What can be measured of how the page looks, and its use without a mouse."""

from pathlib import Path

from tests.browser.chromium import PATIENCE, ChatPage, PageTestCase, expect

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
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3


class LooksTests(PageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tab().enter("x" * 32).send(LONG)

    def person(self, room: str = "lobby", **options) -> ChatPage:
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
            ann.wait_connected().page.evaluate("location.hash = 'lobby'")
            ann.wait_for(LONG)
            self.assertEqual([], ann.page.evaluate(WIDER), name)
            width = ann.page.evaluate("document.documentElement.scrollWidth")
            self.assertEqual(size["width"], width, name)
            self.screenshot(ann, f"long-words-{name}")

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
            other.request.get(f"{ann.url}chat/pull")
        expect(ann.page.locator("#news")).to_contain_text("came in.")
        self.assertEqual(place, ann.page.locator("#composer").bounding_box())


class KeyboardTests(PageTestCase):
    def focused(self, tab: ChatPage) -> str:
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
        for name in ("Skip to the message box", "lobby", "garden", "room-name", "nick-change",
                     "log", "composer-text", "room-leave"):  # fmt: skip
            self.assertIn(name, reached)

    def test_what_has_the_focus_keeps_it_while_others_talk(self):
        ann, bob = self.tab().enter("ann", room="garden"), self.tab().enter("bob")
        lobby = ann.page.locator("#room-list a", has_text="lobby")
        lobby.focus()
        bob.send("hello")
        expect(ann.page.locator("#room-list .count")).to_have_text("1")
        expect(lobby).to_be_focused()

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


class ReadAloudTests(PageTestCase):
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
        for part in ('textbox "Message"', 'button "Send"', 'link "lobby"', 'button "Join"',
                     'textbox "Join or open a room"', 'heading "lobby" [level=1]',
                     'log "Messages in lobby"'):  # fmt: skip
            self.assertIn(part, tree)
        self.assertNotRegex(tree, r"(?m)^\s*- (button|link|textbox)(:|$)")
