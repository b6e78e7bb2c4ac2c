"""A room with thousands of messages: what has elements, and what a new message costs."""

from tests.browser.chromium import OneServerTestCase, close_all, expect

tearDownModule = close_all

# A log of `held` messages in place of the open room's; `arrive()` brings one more.
ROOM = """async (held) => {
    const { Transcript } = await import('/transcript.js');
    const { LogView } = await import('/viewlog.js');
    const say = (seq) => ({ seq, nick: `nick ${seq % 3}`, at: 1.7e9 + seq * 30, text: `${seq}` });
    for (const id of ['log', 'jump']) {
        const old = document.getElementById(id); // the page goes on with it
        old.replaceWith(old.cloneNode(true));
    }
    const log = document.getElementById('log');
    const transcript = new Transcript();
    const messages = Array.from({ length: held }, (_, i) => say(i + 1));
    transcript.page({ messages, first: 1 });
    const acts = { older: async () => false, moved() {}, canTouch: () => false };
    const view = new LogView(acts);
    const given = { transcript, entries: [], nick: 'ann', readUpTo: null };
    const show = () => view.show('long', given, 0);
    const arrive = () => {
        transcript.add([say(transcript.head + 1)]);
        show();
    };
    const texts = () => [...log.querySelectorAll('.text')].map((node) => Number(node.textContent));
    const frame = () => new Promise((resolve) => setTimeout(resolve, 0));
    show();
    Object.assign(window, { log, view, transcript, given, show, arrive, texts, frame });
}"""
# The numbers that are met by scrolling to one end, and the most elements that there were.
SCROLL = """async (step) => {
    const met = new Set();
    let most = 0;
    for (let still = 0; still < 3; ) {
        const before = texts();
        before.forEach((number) => met.add(number));
        most = Math.max(most, before.length);
        log.scrollTop += step;
        log.dispatchEvent(new Event('scroll'));
        await frame();
        still = `${texts()}` === `${before}` && log.scrollTop === window.last ? still + 1 : 0;
        window.last = log.scrollTop;
    }
    return { met: met.size, most, texts: texts() };
}"""


class LongRoomTests(OneServerTestCase):
    def long(self, held):
        page = self.tab().enter(f"ann {held}").page
        page.evaluate(ROOM, held)
        return page

    def test_the_end_is_shown_however_many_are_held(self):
        for held, shown in ((5, 5), (5000, 120), (100_000, 120)):
            page = self.long(held)
            self.assertEqual(list(range(held - shown + 1, held + 1)), page.evaluate("texts()"))

    def test_a_new_message_changes_one_element_at_each_end(self):
        page = self.long(5000)
        changes = page.evaluate(
            """async () => {
                const seen = [];
                const watcher = new MutationObserver((all) => seen.push(...all));
                watcher.observe(log, { childList: true, subtree: true });
                arrive();
                await frame();
                const count = (name) => seen.reduce((sum, each) => sum + each[name].length, 0);
                return ['addedNodes', 'removedNodes'].map(count);
            }"""
        )
        # The message that opens the shown part, as the first of its turn, may be made anew.
        self.assertLessEqual(changes[0], 2)
        self.assertLessEqual(changes[1], 2)
        self.assertEqual(5001, page.evaluate("texts().at(-1)"))

    def test_every_message_is_reached_by_scrolling_and_few_have_elements(self):
        page = self.long(1000)
        up = page.evaluate(SCROLL, -500)
        self.assertEqual(1, up["texts"][0])
        self.assertEqual(1000, up["met"])
        self.assertLessEqual(up["most"], 240)
        expect(page.locator("#jump")).to_be_visible()
        down = page.evaluate(SCROLL, 500)
        self.assertEqual((1000, 1000), (down["texts"][-1], down["met"]))
        expect(page.locator("#jump")).to_be_hidden()

    def test_what_is_read_stays_in_its_place_while_others_talk(self):
        page = self.long(1000)
        page.evaluate(SCROLL, -500)
        page.evaluate("log.scrollTop = 700")
        page.evaluate("frame()")
        place = """(() => {
            const topOf = (node) => Math.round(node.getBoundingClientRect().top);
            const all = [...log.querySelectorAll('.text')];
            const node = all.find((each) => topOf(each) > topOf(log));
            return [node.textContent, topOf(node)];
        })()"""
        before = page.evaluate(place)
        page.evaluate(
            "(async () => { for (let i = 0; i < 300; i += 1) arrive(); await frame(); })()"
        )
        self.assertEqual(before, page.evaluate(place))
        self.assertLessEqual(len(page.evaluate("texts()")), 240)
        page.click("#jump")
        self.assertEqual(1300, page.evaluate("texts().at(-1)"))

    def test_new_is_marked_once_wherever_the_reader_is(self):
        page = self.long(1000)
        page.evaluate("given.readUpTo = 500; show()")
        self.assertEqual(0, page.locator(".mark.new").count())
        marks = page.evaluate(
            """async () => {
                const seen = new Set();
                for (let i = 0; i < 200 && texts()[0] > 1; i += 1) {
                    const next = log.querySelector('.mark.new + .message .text');
                    if (next) seen.add(next.textContent);
                    log.scrollTop -= 500;
                    log.dispatchEvent(new Event('scroll'));
                    await frame();
                }
                return [...seen];
            }"""
        )
        self.assertEqual(["501"], marks)
