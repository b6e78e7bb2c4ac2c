"""What the page makes of a poll's answer, of a nick that is refused, and of what was not seen."""

from tests.browser.chromium import ModuleTestCase, close_all

tearDownModule = close_all

ASKED = {"hold": True, "took": 10_000, "cursor": "a", "seldom": 0}
AT_ONCE = {**ASKED, "hold": False, "took": 5}


def answered(**data):
    return {"status": 200, "data": {"messages": [], "advice": {"timeout": 10}, **data}}


class OutcomeTests(ModuleTestCase):
    def test_an_answer_is_refused_cut_or_failed_by_its_status_and_time(self):
        cases = [
            ({"status": 200}, ASKED, "answered"),
            ({"status": 400}, ASKED, "refused"),
            ({"status": 409}, AT_ONCE, "refused"),
            ({"status": 429}, ASKED, "failed"),
            ({"status": 503}, ASKED, "failed"),
            ({"status": 0}, ASKED, "cut"),
            ({"status": 0}, AT_ONCE, "failed"),
            ({"status": 0}, {**ASKED, "took": 900}, "failed"),
            ({"status": 0, "timedOut": True}, ASKED, "failed"),
        ]
        outcomes = self.run_in(
            "judge.js",
            "({ outcomeOf }, ...cases) => cases.map(([answer, how]) => outcomeOf(answer, how))",
            *[case[:2] for case in cases],
        )
        self.assertEqual([expected for _, _, expected in cases], outcomes)


class JudgementTests(ModuleTestCase):
    def judge(self, *polls):
        """What each shows, one after the other; a poll is (outcome, answer, how)."""
        return self.run_in(
            "judge.js",
            """({ judge, NOTHING }, ...polls) => {
                let known = Object.freeze(NOTHING);
                return polls.map(([outcome, answer, how, error]) => {
                    const shown = judge(known, outcome, Object.freeze(answer), how, error);
                    known = Object.freeze(shown.known);
                    return { link: null, ...shown };
                });
            }""",
            *polls,
        )

    def test_what_brings_something_forward_is_followed_at_once(self):
        for how, data in (
            (ASKED, {"cursor": "b"}),
            (ASKED, {"gap": {"lost": 1}}),
            (ASKED, {"presence": [{"event": "join"}]}),
            (ASKED, {"messages": [{"seq": 1}]}),
            (AT_ONCE, {"cursor": "a"}),
        ):
            with self.subTest(data):
                [shown] = self.judge(["answered", answered(**data), how])
                self.assertEqual((0, 0), (shown["delay"], shown["vain"]))
                self.assertEqual({"state": "connected"}, shown["link"])
                self.assertEqual((0, 10), (shown["known"]["failures"], shown["known"]["told"]))

    def test_an_answer_that_should_have_been_held_is_in_vain(self):
        first = ["answered", answered(cursor="b"), AT_ONCE]
        early = ["answered", answered(cursor="a"), {**ASKED, "took": 5}]
        _, shown, due = self.judge(first, early, ["answered", answered(cursor="a"), ASKED])
        self.assertEqual((1, 1), (shown["vain"], shown["known"]["failures"]))
        self.assertEqual({"state": "connected"}, shown["link"])
        self.assertEqual((0, 0), (due["vain"], due["known"]["failures"]))

    def test_the_advice_of_the_server_and_of_the_tab_are_waited_for(self):
        told = answered(cursor="b", advice={"timeout": 20, "retry": 3})
        [server] = self.judge(["answered", told, ASKED])
        self.assertEqual((3000, 20), (server["delay"], server["known"]["told"]))
        [tab] = self.judge(["answered", told, {**ASKED, "seldom": 30_000}])
        self.assertEqual(30_000, tab["delay"])

    def test_the_second_answer_without_a_cookie_is_told(self):
        stranger = answered(cursor="b", you={"nick": "guest", "cookie": False})
        once, twice, known = self.judge(
            ["answered", stranger, AT_ONCE],
            ["answered", stranger, AT_ONCE],
            ["answered", answered(cursor="b"), AT_ONCE],
        )
        self.assertEqual(["connected", "cookies"], [once["link"]["state"], twice["link"]["state"]])
        self.assertEqual(2, twice["known"]["failures"])
        self.assertEqual(("connected", 0), (known["link"]["state"], known["known"]["strange"]))

    def test_a_failure_says_what_the_server_said_and_who_else_answered(self):
        lost, full, foreign, proxy = self.judge(
            ["failed", {"status": 0, "error": ""}, AT_ONCE],
            ["failed", {"status": 503, "error": "Full.", "retryAfter": 60}, ASKED],
            ["failed", {"status": 0, "error": "", "foreign": 200}, AT_ONCE],
            ["failed", {"status": 0, "error": "", "foreign": 502}, AT_ONCE],
        )
        self.assertEqual({"state": "waiting", "line": "", "foreign": False}, lost["link"])
        self.assertTrue(500 <= lost["delay"] <= 1000)
        self.assertEqual("Full.", full["link"]["line"])
        self.assertGreaterEqual(full["delay"], 60_000)
        self.assertEqual([1, 2, 1], [lost["vain"], full["vain"], foreign["vain"]])
        self.assertEqual([True, False], [foreign["link"]["foreign"], proxy["link"]["foreign"]])
        self.assertEqual(4, proxy["known"]["failures"])

    def test_what_is_given_up_is_counted_until_an_answer_comes(self):
        shown = self.judge(
            *[["failed", {"status": 0, "error": "", "timedOut": True}, ASKED]] * 2,
            ["answered", answered(cursor="b"), AT_ONCE],
        )
        self.assertEqual([1, 2, 0], [each["known"]["givenUp"] for each in shown])

    def test_polls_that_are_cut_twice_are_not_held_for_twelve(self):
        cut = ["cut", {"status": 0}, {**ASKED, "took": 5000}]
        shown = self.judge(cut, cut, *[["answered", answered(cursor="b"), AT_ONCE]] * 12)
        self.assertEqual([0, 12, *range(11, -1, -1)], [each["known"]["unheld"] for each in shown])
        self.assertEqual([0, 0, *[10_000] * 11, 0], [each["delay"] for each in shown])
        self.assertEqual((2, None), (shown[0]["vain"], shown[0]["link"]))
        late = self.judge(cut, ["cut", {"status": 0}, {**ASKED, "took": 20_000}])
        self.assertEqual(0, late[1]["known"]["unheld"])

    def test_a_refusal_is_told_unless_its_cause_is_gone(self):
        refusal = {"status": 400, "error": "No such name."}
        refused, mended = self.judge(["refused", refusal, ASKED], ["mended", refusal, ASKED])
        self.assertEqual({"state": "refused", "line": "No such name."}, refused["link"])
        self.assertEqual((None, 0, 0), (mended["link"], mended["delay"], mended["vain"]))
        self.assertEqual([1, 1], [each["known"]["failures"] for each in (refused, mended)])

    def test_an_answer_over_which_the_page_stumbles_tells_nothing_but_that(self):
        told = answered(cursor="b", advice={"timeout": 20})
        [shown] = self.judge(["stumbled", told, ASKED, "Error: no"])
        self.assertEqual(
            {"state": "waiting", "line": "The page stumbled over an answer (Error: no)."},
            shown["link"],
        )
        self.assertEqual((1, None), (shown["known"]["failures"], shown["known"]["told"]))


class ReadingTests(ModuleTestCase):
    def steps(self, script):
        return self.run_in(
            "reading.js",
            f"""({{ Reading }}) => {{
                const it = new Reading();
                const seen = {{ unread: 0, read: 7, inView: true, loaded: true }};
                {script}
            }}""",
        )

    def test_the_line_is_before_what_was_unread_when_the_room_was_opened(self):
        places = self.steps(
            """const before = [it.upTo({ ...seen, loaded: false }), it.known];
            const opened = [it.upTo({ ...seen, unread: 2 }), it.known];
            return [before, opened, it.upTo({ ...seen, read: 9 })];"""
        )
        self.assertEqual([[None, False], [7, True], 7], places)

    def test_what_comes_out_of_view_or_while_away_is_new_until_somebody_writes(self):
        places = self.steps(
            """const read = it.upTo(seen);
            const below = it.upTo({ ...seen, unread: 1, inView: false });
            it.write();
            const written = it.upTo(seen);
            it.leave();
            const away = it.upTo({ ...seen, read: 8, unread: 1 });
            const back = it.upTo({ ...seen, read: 9, unread: 1 });
            it.open();
            return [read, below, written, away, back, it.known];"""
        )
        self.assertEqual([None, 7, None, 8, 8, False], places)

    def test_who_does_something_here_is_not_away(self):
        place = self.steps(
            "it.upTo(seen); it.leave(); it.comeBack(); return it.upTo({ ...seen, unread: 1 });"
        )
        self.assertIsNone(place)


class ClaimTests(ModuleTestCase):
    def test_a_nick_that_is_refused_is_not_told_again(self):
        self.tab().enter("ann")
        told = self.run_in(
            "claim.js",
            """async ({ Claim }, nick) => {
                const { Store } = await import('/store.js');
                const refused = [];
                const store = new Store({ nick, named: false });
                const claim = new Claim(store, (refusal) => refused.push(refusal.nick));
                await claim.make();
                await claim.make();
                return { refused, named: store.get('named') };
            }""",
            "ann",
        )
        self.assertEqual({"refused": ["ann"], "named": False}, told)
        [tab, _] = self.tabs
        tab.errors = [line for line in tab.errors if "status of 409" not in line]

    def test_what_is_lost_is_claimed_for_some_time_before_it_counts_as_refused(self):
        self.tab().enter("ann")
        told = self.run_in(
            "claim.js",
            """async ({ Claim }) => {
                const { Store } = await import('/store.js');
                const refused = [];
                const store = new Store({ nick: 'ann', named: false });
                const claim = new Claim(store, () => refused.push(Date.now()));
                claim.outwait();
                const counts = [];
                const now = Date.now;
                for (let turn = 0; turn < 5; turn += 1) {
                    Date.now = () => now() + 20_000 * turn;
                    await claim.make();
                    counts.push(refused.length);
                }
                Date.now = now;
                return counts;
            }""",
        )
        self.assertEqual([0, 0, 0, 1, 1], told)
        [tab, _] = self.tabs
        tab.errors = [line for line in tab.errors if "status of 409" not in line]


class TurnTests(ModuleTestCase):
    def test_what_is_asked_for_several_times_in_a_turn_is_done_once(self):
        counts = self.run_in(
            "delay.js",
            """async ({ oncePerTurn, sleep }) => {
                let count = 0;
                const act = oncePerTurn(() => (count += 1));
                act();
                act();
                const before = count;
                await sleep(0);
                const once = count;
                act();
                await sleep(0);
                return [before, once, count];
            }""",
        )
        self.assertEqual([0, 1, 2], counts)
