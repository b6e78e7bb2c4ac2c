"""The page's modules by themselves, in the browser that they are for."""

from tests.browser.chromium import PageTestCase
from tests.support.server import ChatServer


class ModuleTests(PageTestCase):
    """One server for all: it only gives the files."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.files = ChatServer(app={"chat.poll_timeout": 200})
        cls.files.__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.files.__exit__()

    def serve(self) -> ChatServer:
        return self.files

    def setUp(self) -> None:
        super().setUp()
        self.page = self.tab().open().page

    def run_in(self, module: str, script: str, *arguments):
        """What `script`, a function of the module's names, gives for `arguments`."""
        return self.page.evaluate(
            f"async (given) => ({script})(await import('/{module}'), ...given)", arguments
        )

    def delays(self, *calls):
        return self.run_in(
            "delay.js",
            "({ nextDelay }, ...calls) => calls.map((call) => nextDelay(...call))",
            *calls,
        )

    def test_after_an_answer_it_is_asked_again_at_once_or_as_the_server_says(self):
        self.assertEqual([0, 3000], self.delays(["answered", 0, None, 0.9], ["answered", 0, 3, 0]))

    def test_delays_grow_up_to_a_bound_and_are_jittered(self):
        shortest = self.delays(*(["lost", failures, None, 0] for failures in range(1, 9)))
        self.assertEqual([250, 500, 1000, 2000, 4000, 8000, 10000, 10000], shortest)
        longest = self.delays(*(["lost", failures, None, 0.9999999] for failures in range(1, 9)))
        self.assertEqual([2 * delay for delay in shortest], longest)
        drawn = self.delays(*[["lost", 3]] * 50)
        self.assertGreater(len(set(drawn)), 10)
        self.assertTrue(all(1000 <= delay <= 2000 for delay in drawn))

    def test_what_the_server_asks_for_is_never_undercut(self):
        for random in (0, 0.5, 0.9999):
            [delay] = self.delays(["refused", 1, 30, random])
            self.assertGreaterEqual(delay, 30_000)
        self.assertEqual(
            [250, 250, 250], self.delays(*(["lost", 1, bad, 0] for bad in (-5, "x", 0)))
        )

    def test_a_poll_is_waited_for_longer_than_the_server_holds_it(self):
        patience = self.run_in(
            "delay.js",
            "({ patience }, ...calls) => calls.map((call) => patience(...call) / 1000)",
            *([None], [10], [60], [300], [10, 1], [10, 2], [10, 9], [None, 1], [300, 1]),
        )
        self.assertEqual([90, 40, 90, 330, 80, 160, 330, 180, 330], patience)

    def test_what_the_server_says_of_its_polls_holds_for_the_next(self):
        timeouts = self.run_in(
            "poll.js",
            """({ Poll }) => new Promise((resolve) => {
                const told = (timeout) =>
                    ({ status: 200, data: { messages: [{}], advice: { timeout } } });
                const nothing = (timedOut) => ({ status: 0, timedOut });
                const answers = [told(60), nothing(true), nothing(false), told(10), told(20)];
                const timeouts = [];
                const poll = new Poll({
                    ask(cursor, timeout) {
                        timeouts.push(timeout / 1000);
                        const answer = answers.shift();
                        if (!answer) resolve(timeouts);
                        return { answer: answer ? Promise.resolve(answer) : new Promise(() => {}) };
                    },
                    onAnswer() {},
                    onLink: ({ state }) => state === 'waiting' && queueMicrotask(() => poll.wake()),
                });
                poll.start();
            })""",
        )
        self.assertEqual([90, 90, 180, 180, 40, 50], timeouts)

    def test_the_page_waits_for_as_long_as_its_server_says(self):
        tab = self.tab()
        tab.page.add_init_script(
            """const { open, send } = XMLHttpRequest.prototype;
            const polls = (window.polls = []);
            XMLHttpRequest.prototype.open = function (method, url) {
                this.url = url;
                open.call(this, method, url);
            };
            XMLHttpRequest.prototype.send = function (body) {
                if (this.url.startsWith('/chat/pull')) polls.push(this.timeout / 1000);
                send.call(this, body);
            };"""
        )
        tab.enter("ann").wait_until("window.polls.length > 1")
        self.assertEqual([90, 230], tab.page.evaluate("window.polls.slice(0, 2)"))

    def transcript(self, script: str):
        seqs = "(...all) => all.map((seq) => ({ seq }))"
        return self.run_in(
            "transcript.js",
            f"""({{ Transcript }}) => {{
                const it = new Transcript();
                const some = {seqs};
                {script}
                const seqs = it.messages.map(({{ seq }}) => seq);
                const gaps = [...it.gaps].map(([before, gap]) => [before, gap.lost, gap.reason]);
                return {{ seqs, gaps, hole: it.hole, more: it.more }};
            }}""",
        )

    def test_a_message_that_comes_twice_is_held_once_and_in_order(self):
        held = self.transcript(
            "it.page({ messages: some(3, 4), first: 1 }); it.add(some(5, 4)); it.add(some(5, 6));"
            "it.page({ messages: some(1, 2, 3), first: 1 });"
        )
        expected = {"seqs": [1, 2, 3, 4, 5, 6], "hole": None, "more": False, "gaps": []}
        self.assertEqual(expected, held)

    def test_what_history_says_is_damaged_is_a_gap_and_no_hole(self):
        held = self.transcript(
            "it.page({ messages: some(3, 6), first: 1, damaged: [1, 2, 4, 5] }); it.add(some(7));"
        )
        gaps = [[6, 2, "damaged"]]
        expected = {"seqs": [3, 6, 7], "hole": None, "more": False, "gaps": gaps}
        self.assertEqual(expected, held)

    def test_a_hole_is_named_until_history_fills_it(self):
        hole = "it.page({ messages: some(1, 2), first: 1 }); it.add(some(6));"
        self.assertEqual({"after": 2, "before": 6}, self.transcript(hole)["hole"])
        filled = (
            "it.page({ messages: some(3, 4, 5), first: 1 }); it.close({ after: 2, before: 6 });"
        )
        held = self.transcript(hole + filled)
        self.assertEqual(([1, 2, 3, 4, 5, 6], None), (held["seqs"], held["hole"]))

    def test_what_history_no_longer_has_becomes_a_gap(self):
        held = self.transcript(
            "it.page({ messages: some(1, 2), first: 1 }); it.add(some(6));"
            "it.page({ messages: some(5), first: 5 }); it.close({ after: 2, before: 6 });"
        )
        self.assertEqual([[5, 2, "trimmed"]], held["gaps"])
        self.assertIsNone(held["hole"])

    def test_addresses_end_where_a_sentence_goes_on(self):
        parts = self.run_in(
            "text.js",
            """({ linked }, ...texts) =>
                texts.map((text) => linked(text).map((node) => node.href ?? node))""",
            "see http://a.example/x, and (https://b.example/?q=1).",
            "ftp://c.example javascript:alert(1) <b>http</b>",
        )
        self.assertEqual(
            [
                ["see ", "http://a.example/x", ", and (", "https://b.example/?q=1", ")."],
                ["ftp://c.example javascript:alert(1) <b>http</b>"],
            ],
            parts,
        )
