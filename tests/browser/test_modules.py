"""The page's modules by themselves, in the browser that they are for."""

from tests.browser.chromium import ModuleTestCase, close_all

tearDownModule = close_all


class ModuleTests(ModuleTestCase):
    options = {"chat.poll_timeout": 200}

    def delays(self, *calls):
        return self.run_in(
            "delay.js",
            "({ nextDelay }, ...calls) => calls.map((call) => nextDelay(...call))",
            *calls,
        )

    def test_after_an_answer_it_is_asked_again_at_once_or_as_the_server_says(self):
        self.assertEqual([0, 3000], self.delays([0, None, 0.9], [0, 3, 0]))

    def test_delays_grow_up_to_a_bound_and_are_jittered(self):
        shortest = self.delays(*([failures, None, 0] for failures in range(1, 8)))
        self.assertEqual([500, 1000, 2000, 4000, 8000, 15000, 15000], shortest)
        longest = self.delays(*([failures, None, 0.9999999] for failures in range(1, 8)))
        self.assertEqual([2 * delay for delay in shortest], longest)
        drawn = self.delays(*[[3]] * 50)
        self.assertGreater(len(set(drawn)), 10)
        self.assertTrue(all(2000 <= delay <= 4000 for delay in drawn))

    def test_what_the_server_asks_for_is_never_undercut(self):
        for random in (0, 0.5, 0.9999):
            [delay] = self.delays([1, 30, random])
            self.assertGreaterEqual(delay, 30_000)
        self.assertEqual([500, 500, 500], self.delays(*([1, bad, 0] for bad in (-5, "x", 0))))

    def test_a_poll_is_waited_for_longer_than_the_server_holds_it(self):
        patience = self.run_in(
            "delay.js",
            "({ patience }, ...calls) => calls.map((call) => patience(...call) / 1000)",
            *([None], [10], [60], [300], [10, 1], [10, 2], [10, 9], [None, 1], [300, 1]),
            *([60, 0, False], [60, 1, False]),
        )
        self.assertEqual([90, 40, 90, 330, 80, 160, 330, 180, 330, 10, 20], patience)

    def test_a_pace_lets_a_burst_through_and_then_one_at_a_time(self):
        waits = self.run_in(
            "delay.js",
            """({ Pace }) => {
                const pace = new Pace(2, 100);
                return [0, 0, 0, 0, 150, 1000, 1000, 1000].map((now) => pace.next(1, now));
            }""",
        )
        self.assertEqual([0, 0, 100, 200, 150, 0, 0, 100], waits)

    def test_what_the_server_says_of_its_polls_holds_for_the_next(self):
        did = self.polls(
            """{ after: 1, answer: [ours({ cursor: 'a', advice: { timeout: 60 } }),
                { timedOut: true }, {}, ours({ cursor: 'b', advice: { timeout: 20 } }),
                ours({ cursor: 'c' })][number] ?? { timedOut: true } }""",
            30,
        )
        timeouts = [each["timeout"] / 1000 for each in did["asked"]]
        self.assertEqual([10, 90, 20, 20, 50], timeouts[:5])

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
        # The first is not held, so its answer comes at once.
        self.assertEqual([10, 230], tab.page.evaluate("window.polls.slice(0, 2)"))

    def polls(self, ask, seconds=60):
        """What a loop does in a minute of the page's clock, and what it says of the link.

        `ask`: an expression of number, how ({hold, cursor, timeout}) and ours, that is {after,
        answer}: the ms after which there is which answer. `ours` makes one of the server's.
        """
        [did] = self.loops([ask], seconds)
        return did

    def loops(self, asks, seconds=60):
        """What `polls` gives for each, all at the same time."""
        self.page.clock.install()
        self.page.evaluate(
            """async () => {
                const { Poll } = await import('/poll.js');
                const none = { status: 0, data: null, error: '', room: null, retryAfter: null };
                const ours = (data) =>
                    ({ status: 200, data: { messages: [], advice: { timeout: 10 }, ...data } });
                const began = performance.now();
                window.did = [ANSWERS].map((answerOf) => run(answerOf));
                function run(answerOf) {
                    const asked = [], links = [], taken = [];
                    const poll = new Poll({
                        ask(cursor, how) {
                            const { after, answer } = answerOf(asked.length, { cursor, ...how });
                            const at = Math.round(performance.now() - began) / 1000;
                            asked.push({ at, ...how, cursor });
                            let abort;
                            return {
                                answer: new Promise((resolve) => {
                                    abort = () => resolve({ ...none, aborted: true });
                                    setTimeout(() => resolve({ ...none, ...answer }), after);
                                }),
                                abort,
                            };
                        },
                        onAnswer(data) {
                            if (data.cursor === 'bad') throw new Error('stumbled');
                            taken.push(data.cursor);
                        },
                        onRejected: () => false,
                        onLink: ({ state }) => links.at(-1) !== state && links.push(state),
                    });
                    poll.start();
                    return { asked, links, taken };
                }
            }""".replace("ANSWERS", ",".join(f"(number, how) => ({ask})" for ask in asks))
        )
        self.page.clock.run_for(1000 * seconds)
        return self.page.evaluate("did")

    def test_however_it_is_answered_a_loop_does_not_flood(self):
        held = "{ after: how.hold ? 10000 : 5, answer: ours({ cursor: 'a' }) }"
        states = {
            "all is well": (held, ["connected"]),
            "an answer that is not held": (
                "{ after: 2, answer: ours({ cursor: 'a' }) }", ["connected"],
            ),
            "an answer without a cursor": ("{ after: 2, answer: ours({}) }", ["connected"]),
            "an answer with people and no more": (
                "{ after: 2, answer: ours({ people: { lobby: ['ann'] } }) }", ["connected"],
            ),
            "no cookie comes back": (
                """{ after: 2, answer: ours({ cursor: `${number}`, people: { lobby: [] },
                    you: { nick: `guest-${number}`, cookie: false } }) }""",
                ["connected", "cookies"],
            ),
            "nobody answers": ("{ after: 1, answer: {} }", ["waiting"]),
            "something else answers": ("{ after: 1, answer: { foreign: 200 } }", ["waiting"]),
            "every other answer is of a proxy": (
                f"number % 2 ? {{ after: 1, answer: {{ foreign: 502 }} }} : {held}", None,
            ),
            "whoever waits is cut after 5 s": (
                f"how.hold ? {{ after: 5000, answer: {{ foreign: 504 }} }} : {held}",
                ["connected"],
            ),
            "whoever waits is cut after 20 s": (
                f"how.hold ? {{ after: 20000, answer: {{}} }} : {held}", ["connected"],
            ),
            "too many of an address": (
                "{ after: 1, answer: { status: 429, retryAfter: 2, error: 'Too many.' } }",
                ["waiting"],
            ),
            "the chat is full": ("{ after: 1, answer: { status: 503 } }", ["waiting"]),
            "it is refused": ("{ after: 1, answer: { status: 400 } }", ["refused"]),
            "the nick is another's": ("{ after: 1, answer: { status: 409 } }", ["refused"]),
            "something is wrong there": ("{ after: 1, answer: { status: 500 } }", ["waiting"]),
        }  # fmt: skip
        all_of_them = self.loops([ask for ask, _ in states.values()])
        for (state, (_, links)), did in zip(states.items(), all_of_them, strict=True):
            with self.subTest(state):
                times = [each["at"] for each in did["asked"]]
                self.assertLessEqual(len(times), 10, times)
                if links is not None:
                    self.assertEqual(links, did["links"])

    def test_much_to_tell_is_asked_for_less_than_twice_a_second(self):
        did = self.polls("{ after: 1, answer: ours({ cursor: `${number}` }) }", 10)
        self.assertLessEqual(len(did["asked"]), 20)
        self.assertGreater(len(did["asked"]), 15)

    def test_the_first_poll_and_the_first_after_a_failure_are_not_held(self):
        did = self.polls(
            """number === 2 ? { after: 1, answer: { foreign: 502 } }
                : { after: how.hold ? 10000 : 5, answer: ours({ cursor: 'a' }) }""",
            30,
        )
        self.assertEqual([False, True, True, False, True], [a["hold"] for a in did["asked"]][:5])
        self.assertEqual(["connected", "waiting", "connected"], did["links"])

    def test_polls_that_are_cut_time_and_again_are_not_held_for_a_while(self):
        did = self.polls(
            """how.hold ? { after: 5000, answer: { foreign: 504 } }
                : { after: 5, answer: ours({ cursor: 'a' }) }""",
            200,
        )
        held = [each["at"] for each in did["asked"] if each["hold"]]
        self.assertLess(held[1], 12)
        self.assertTrue(110 < held[2] < 150, held)
        self.assertEqual(["connected"], did["links"])

    def test_a_page_kept_by_a_cache_has_its_cookie_from_the_second_poll_on(self):
        did = self.polls(
            """{ after: how.hold ? 10000 : 5, answer: ours({ cursor: 'a',
                you: { nick: 'ann', cookie: number > 0 } }) }""",
            30,
        )
        self.assertEqual(["connected"], did["links"])

    def test_a_page_that_stumbles_over_an_answer_says_so_and_goes_on(self):
        did = self.polls(
            """{ after: how.hold ? 10000 : 5,
                answer: ours({ cursor: ['a', 'bad', 'b'][number] ?? 'c' }) }""",
            30,
        )
        self.assertEqual(["connected", "waiting", "connected"], did["links"])
        self.assertEqual([None, "a", "a", "b"], [each["cursor"] for each in did["asked"]][:4])
        self.assertEqual(["a", "b"], did["taken"][:2])
        [tab] = self.tabs
        self.assertEqual(["uncaught: stumbled"], tab.errors)
        tab.errors.clear()

    def transcript(self, script):
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

    def test_a_removed_text_is_gone_whatever_comes_first_the_message_or_its_removal(self):
        texts = self.run_in(
            "transcript.js",
            """({ Transcript }) => {
                const said = (seq) => ({ seq, kind: 'said', text: `text ${seq}` });
                const removal = { seq: 4, kind: 'removal', about: 2, text: 'why' };
                const held = (first, then) => {
                    const it = new Transcript();
                    it.page({ messages: first, first: 1 });
                    it.page({ messages: then, first: 1 });
                    return [it.messages.map(({ text }) => text), it.silentAfter(0), it.hole];
                };
                const [one, two, three] = [1, 2, 3].map(said);
                return [held([one, two, three], [removal]), held([three, removal], [one, two])];
            }""",
        )
        self.assertEqual([[["text 1", "", "text 3", "why"], 2, None]] * 2, texts)

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


class RowsTests(ModuleTestCase):
    def shown(self, *messages):
        """Text and whether it is its reader's own, of each row that is a message."""
        return self.run_in(
            "rows.js",
            """({ rowsOf }, messages) => {
                const removals = new Map([[1, { nick: 'kim', text: 'spam' }]]);
                const kept = { gaps: new Map(), removals, loaded: false, head: 9, tail: 1 };
                const transcript = { messages, ...kept };
                const given = { transcript, entries: [], nick: 'ann', sender: 'A', readUpTo: 1 };
                return rowsOf(given, [0, messages.length])
                    .filter(({ kind }) => kind === 'message')
                    .map(({ text, why, own }) => [why ?? text, own]);
            }""",
            [
                {"room": "r", "seq": seq, "nick": "ann", "text": f"{seq}", "at": 1.0, **message}
                for seq, message in enumerate(messages, 1)
            ],
        )

    def test_a_message_is_of_whom_its_sender_says_whatever_the_nick(self):
        senders = {"sender": "A"}, {"sender": "A", "nick": "anna"}, {"sender": "B"}, {}
        own = [["1", True], ["2", True], ["3", False], ["4", False], ["5", False]]
        self.assertEqual(own, self.shown(*senders, {"nick": "bob"}))

    def test_a_message_of_a_kind_that_is_not_known_is_passed_over(self):
        kinds = {"kind": "said"}, {"kind": "painted"}, {}
        self.assertEqual([["1", False], ["3", False]], self.shown(*kinds))

    def test_of_a_removed_message_is_said_who_removed_it_and_why_where_that_is_known(self):
        gone = {"kind": "removed", "text": ""}
        shown = self.shown(gone, gone, {"kind": "removal", "about": 1})
        said = "Removed by kim: spam"
        self.assertEqual([[said, False], ["Removed", False]], shown)
