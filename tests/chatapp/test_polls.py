"""Polls: what they answer, when, and what they leave behind."""

import gc
import html
import json
import re

from chatapp.live.poll import READ_LIMIT
from cogen.core.schedulers import SLICE, Waiter
from cogen.testing.memory import Browser
from tests.chatapp.model.contract import store
from tests.chatapp.support import ChatCase, texts, untold


class PlainPollTests(ChatCase):
    """The seed's wire: text, no cursor."""

    def setUp(self):
        self.start()
        self.ann, self.bob = Browser(self.server), Browser(self.server)

    def test_a_message_goes_from_one_session_to_another(self):
        self.ann.ask("GET", "/chat/pull")
        held = self.ann.begin("GET", "/chat/pull")
        self.assertFalse(held.done)
        push = self.bob.ask("POST", "/chat/push", b"hello from bob")
        self.assertEqual((200, b"1"), (push.status, push.body))
        held.look()
        self.assertTrue(held.done)
        nick = self.bob.ask("GET", "/chat/nick", Accept="application/json").body.decode()[9:-2]
        self.assertEqual(f"{nick}: hello from bob\r\n", held.body.decode())
        self.assertIn("text/plain", held.header("content-type"))

    def test_a_poll_without_news_answers_empty_after_ten_seconds(self):
        self.ann.ask("GET", "/chat/pull")
        held = self.ann.begin("GET", "/chat/pull")
        self.pass_time(9.9)
        self.assertFalse(held.look().done)
        self.pass_time(0.2)
        self.assertEqual((True, 200, b""), (held.look().done, held.status, held.body))

    def test_what_is_said_between_polls_is_kept(self):
        self.ann.ask("GET", "/chat/pull")
        for number in range(5):
            self.bob.ask("POST", "/chat/push", b"message %d" % number)
        lines = self.ann.ask("GET", "/chat/pull").body.decode().splitlines()
        self.assertEqual(
            [f"message {n}" for n in range(5)], [line.split(": ", 1)[1] for line in lines]
        )

    def test_a_line_break_in_a_message_stays_on_its_line(self):
        self.ann.ask("GET", "/chat/pull")
        self.bob.ask("POST", "/chat/push", b"one\r\ntwo: forged\nthree")
        self.assertTrue(
            self.ann.ask("GET", "/chat/pull").body.endswith(b": one two: forged three\r\n")
        )

    def test_two_tabs_of_a_session_both_get_every_message(self):
        self.ann.ask("GET", "/chat/pull?client=one")
        self.ann.ask("GET", "/chat/pull?client=two")
        held = [self.ann.begin("GET", f"/chat/pull?client={tab}") for tab in ("one", "two")]
        self.bob.ask("POST", "/chat/push", b"hi")
        self.assertEqual([True, True], [answer.look().done for answer in held])
        self.assertEqual(held[0].body, held[1].body)


class PollTests(ChatCase):
    def setUp(self):
        self.start()

    def test_joining_answers_at_once_from_now_on(self):
        self.joined("bob").say("long ago")
        ann = self.person()
        ann.post("/chat/nick", {"nick": "ann"})
        news = ann.pull()
        self.assertEqual([], news["messages"])
        sender = news["you"].pop("sender")
        you = {"nick": "ann", "cookie": True, "role": "guest", "may": ["open"]}
        self.assertEqual(you, news["you"])
        ann.say("hi")
        [message] = ann.pull()["messages"]
        self.assertEqual(sender, message["sender"])
        self.assertEqual({"lobby": ["bob", "ann"]}, news["people"])

    def test_the_sender_alone_gets_the_nonce_back_whichever_way_the_message_comes(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        begun = {person: person.pull() and person.cursor for person in (ann, bob)}
        held = {person: person.poll() for person in (ann, bob)}
        self.settle()
        ann.say("once", nonce="n1")
        for person, nonce in ((ann, "n1"), (bob, None)):
            [queued] = person.take(held[person])["messages"]
            person.cursor = begun[person]
            [read] = person.pull()["messages"]
            for message in (queued, read):
                self.assertEqual(("once", nonce), (message["text"], message.get("nonce")))

    def test_a_cursor_goes_on_where_it_was(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        bob.say("one")
        self.assertEqual(["one"], texts(ann.pull()))
        bob.say("two")
        bob.say("three")
        self.assertEqual(["two", "three"], texts(ann.pull()))

    def test_an_answer_that_was_lost_is_given_again(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        before = ann.cursor
        bob.say("one")
        self.assertEqual(["one"], texts(ann.pull()))
        ann.cursor = before
        bob.say("two")
        self.assertEqual(["one", "two"], texts(ann.pull()))

    def test_a_client_that_missed_more_than_an_answer_takes_gets_it_all_at_once(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        before = ann.cursor
        for number in range(2 * READ_LIMIT + 10):
            bob.say(str(number))
        back = self.person()
        back.cursor = before
        lots = [texts(back.pull()) for _ in range(3)]
        self.assertEqual([READ_LIMIT, READ_LIMIT, 10], [len(lot) for lot in lots])
        said = [text for lot in lots for text in lot]
        self.assertEqual([str(n) for n in range(2 * READ_LIMIT + 10)], said)
        self.settle()
        back.pull()
        self.assertFalse(back.poll().done)

    def test_what_comes_by_the_queue_and_by_the_log_is_given_once(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        bob.say("before")
        log, read = self.hub.log, self.hub.log.read

        async def read_late(*arguments):
            log.read = read
            for text in ("meanwhile", "and then"):
                await store(log, "lobby", "x", "x", text)
            return await read(*arguments)

        back = self.person()
        back.cursor = ann.cursor
        log.read = read_late
        self.assertEqual(["before", "meanwhile", "and then"], texts(back.pull()))
        bob.say("after")
        self.assertEqual(["after"], texts(back.pull()))

    def test_a_program_with_a_cursor_goes_on_in_another_session(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        bob.say("one")
        again = self.person()
        again.cursor = ann.cursor
        self.assertEqual(["one"], texts(again.pull()))

    def test_several_rooms_in_one_poll(self):
        ann, bob = self.joined("ann", rooms="lobby,garden"), self.joined("bob")
        held = ann.poll()
        self.settle()
        ann.take(held)
        held = ann.poll()
        bob.say("over there", room="garden")
        news = ann.take(held)
        self.assertEqual(
            [("garden", "over there")], [(m["room"], m["text"]) for m in news["messages"]]
        )
        bob.say("here", room="lobby")
        bob.say("there", room="garden")
        self.assertEqual({"here", "there"}, set(texts(ann.pull())))

    def test_a_room_that_is_added_starts_now_and_one_that_is_left_is_not_heard(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        bob.say("before", room="garden")
        ann.rooms = "garden"
        self.assertEqual([], texts(ann.pull()))
        bob.say("in the lobby")
        bob.say("in the garden", room="garden")
        self.assertEqual(["in the garden"], texts(ann.pull()))
        self.assertEqual(["bob"], self.hub.rooms["lobby"].people())

    def test_a_newer_poll_of_a_client_ends_the_one_before(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        first = ann.poll()
        second = ann.poll()
        self.assertTrue(first.look().done)
        self.assertEqual({"messages": []}, ann.take(first))
        bob.say("hi")
        self.assertEqual(["hi"], texts(ann.take(second)))

    def test_a_poll_superseded_while_it_is_being_answered_loses_nothing(self):
        ann = self.joined("ann")
        self.settle()
        ann.pull()
        first = ann.poll()
        token = ann.cookie("token")
        request = (
            f"GET /chat/pull/lobby?client=tab&since={ann.cursor} HTTP/1.1\r\nHost: x\r\n"
            f"Accept: application/json\r\nCookie: {token}={ann.cookies[token]}\r\n\r\n"
        )
        second = self.server.connect()
        # The watch hands the message to the first poll, which runs behind the second: others that
        # are ready keep that for the next turn.
        for _ in range(SLICE):
            self.server.scheduler.ready(_Other(self.server.scheduler))
        second.protocol.data_received(request.encode())
        self.hub.appended([_message(self, "handed over")])
        self.server.loop.settle()
        answers = [ann.take(first)["messages"], second.written]
        self.assertEqual(1, sum(b"handed over" in bytes(str(a), "utf-8") for a in answers))

    def test_text_and_json_polls_wait_alike(self):
        ann = self.joined("ann")
        self.settle()
        ann.pull()
        held = ann.poll()
        self.pass_time(10.1)
        news = ann.take(held)
        self.assertEqual([], news["messages"])
        self.assertEqual({"messages", "cursor", "advice"}, set(news))

    def test_every_answer_says_how_long_a_poll_is_held(self):
        ann = self.joined("ann")
        ann.say("a message")
        answers = [self.person().pull(), ann.pull()]
        self.settle()
        ann.pull()
        held = ann.poll()
        ann.say("another")
        answers.append(ann.take(held))
        ann.rooms = "lobby,garden"
        answers.append(ann.pull())
        held = ann.poll()
        self.pass_time(10.1)
        answers.append(ann.take(held))
        self.assertEqual([{"timeout": 10.0}] * 5, [answer["advice"] for answer in answers])

    def test_a_poll_that_is_not_held_is_answered_at_once_and_told_whose_it_is(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        path = f"/chat/pull/lobby?client=tab&since={ann.cursor}&hold=0"
        for _ in range(2):
            told = ann.take(ann.begin("GET", path))
            self.assertEqual("ann", told.pop("you")["nick"])
            nothing = {"messages": [], "cursor": ann.cursor, "advice": {"timeout": 10.0}}
            self.assertEqual(nothing, told)
        bob.say("hi")
        bob.say("you")
        self.assertEqual(["hi", "you"], texts(ann.take(ann.begin("GET", path))))

    def test_a_poll_that_is_not_held_takes_text_as_well(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        bob.say("hi")
        for expected in (b"bob: hi\r\n", b""):
            answer = ann.begin("GET", "/chat/pull?client=tab&hold=0", Accept="text/plain")
            self.assertEqual((True, expected), (answer.look().done, answer.body))

    def test_a_poll_can_be_asked_for_in_a_body(self):
        ann, bob = self.joined("ann", rooms="lobby,garden"), self.joined("bob")
        self.settle()
        asked = {"rooms": ["lobby", "garden"], "client": "tab"}
        ann.pull()
        held = ann.begin("POST", "/chat/pull", json.dumps({**asked, "since": ann.cursor}).encode())
        self.assertFalse(held.look().done)
        held = ann.begin("POST", "/chat/pull", json.dumps({**asked, "since": None}).encode())
        self.assertFalse(held.look().done)
        bob.say("over there", room="garden")
        self.assertEqual(["over there"], texts(ann.take(held)))
        at_once = ann.post("/chat/pull", {**asked, "since": ann.cursor, "hold": 0})
        self.assertEqual([], texts(json.loads(at_once.body)))
        self.assertEqual([], texts(json.loads(ann.post("/chat/pull", {"hold": 0}).body)))

    def test_a_hundred_rooms_with_the_longest_names_take_part_in_one_poll(self):
        def rooms(letter):
            return [f"{letter * 61}{number:03}" for number in range(100)]

        bob = self.joined("bob")
        for letter in ("x", "語", "\U00010330"):
            ann = self.person(letter.encode().hex())
            asked = {"rooms": rooms(letter), "client": ann.tab}
            ann.cursor = json.loads(ann.post("/chat/pull", asked).body)["cursor"]
            bob.say(letter, room=rooms(letter)[99])
            self.assertEqual(
                [letter], texts(ann.take(ann.post("/chat/pull", {**asked, "since": ann.cursor})))
            )

    def test_with_the_people_come_what_the_server_takes_and_its_version(self):
        news = self.person().pull()
        limits = {"message": 4000, "rooms": 100, "room": 64, "nick": 32}
        self.assertEqual(limits, news["limits"])
        self.assertRegex(news["version"], "^[0-9a-f]{12}$")
        page = self.person().ask("GET", "/").body.decode()
        told = re.search(r'data-base="" data-version="(\w+)" data-limits="([^"]+)"', page)
        self.assertEqual(news["version"], told[1])
        self.assertEqual(limits, json.loads(html.unescape(told[2])))

    def test_a_client_without_a_cookie_is_told(self):
        ann = self.person()
        self.assertIs(False, ann.pull()["you"]["cookie"])
        ann.rooms = "garden"
        self.assertIs(True, ann.pull()["you"]["cookie"])


class _Other(Waiter):
    def __init__(self, scheduler, step=lambda: None):
        super().__init__(scheduler)
        self.step = step


def _message(case, text):
    """A message that is in the log, and not announced yet."""
    log = case.hub.log
    observer, log._observer = log._observer, _Deaf()
    try:
        case.server.loop.run_until_complete(store(log, "lobby", "x", "x", text))
        return case.server.loop.run_until_complete(log.before("lobby", None, 1)).messages[0]
    finally:
        log._observer = observer


def _identity(case, nick):
    """The id of the participant of that nick."""
    return next(each.id for each in case.hub.participants.values() if each.nick == nick)


class _Deaf:
    def appended(self, messages):
        """Hears nothing."""


class GapTests(ChatCase):
    def test_what_the_log_no_longer_holds_is_counted(self):
        self.start(history=5)
        ann, bob = self.joined("ann"), self.joined("bob")
        for number in range(20):
            bob.say(f"{number}")
        news = ann.pull()
        gap = {"lost": 15, "reason": "trimmed", "rooms": {"lobby": 15}, "exact": True}
        self.assertEqual(gap, news["gap"])
        self.assertEqual([f"{n}" for n in range(15, 20)], texts(news))
        self.assertNotIn("gap", ann.pull() if bob.say("next") else {})

    def test_a_client_that_comes_back_to_a_room_that_gave_way_is_told(self):
        self.start(max_rooms=1, lease=20)
        bob, ann = self.joined("bob"), self.joined("ann", rooms="garden")
        for text in ("one", "two", "three"):
            bob.say(text, room="garden")
        self.assertEqual(["one", "two", "three"], texts(ann.pull()))
        for text in ("four", "five"):
            bob.say(text, room="garden")
        self.pass_time(21)
        self.assertEqual(200, bob.say("hi", room="other").status)
        back = ann.pull()
        lost = {"lost": 2, "reason": "trimmed", "rooms": {"garden": 2}, "exact": False}
        self.assertEqual((lost, []), (back["gap"], back["messages"]))
        bob.say("six", room="garden")
        news = ann.pull()
        self.assertEqual(["six"], texts(news))
        self.assertNotIn("gap", news)
        self.assertEqual(6, news["messages"][0]["seq"])

    def test_a_room_that_somebody_is_in_does_not_give_way(self):
        self.start(max_rooms=1)
        bob, ann = self.joined("bob"), self.joined("ann", rooms="garden")
        bob.say("one", room="garden")
        held = ann.poll()
        ann.take(held)
        ann.poll()
        answer = bob.say("hi", room="other")
        line = {"error": "No room can be opened: all that there may be are in use; try again soon."}
        self.assertEqual((503, line), (answer.status, json.loads(answer.body)))
        self.assertEqual("60", answer.header("Retry-After"))
        self.assertEqual(200, bob.say("hi").status)

    def test_another_epoch_is_told_and_all_that_is_there_is_given(self):
        self.start()
        self.joined("bob").say("one")
        from chatapp.live.cursor import Cursor

        ann = self.joined("ann")
        ann.cursor = Cursor("another", {"lobby": 700}).encode()
        news = ann.pull()
        self.assertEqual(["one"], texts(news))
        gap = {"lost": 0, "reason": "recreated", "rooms": {"lobby": 0}, "exact": False}
        self.assertEqual(gap, news["gap"])

    def test_numbers_that_were_never_given_out_mean_another_log(self):
        self.start()
        self.joined("bob").say("one")
        from chatapp.live.cursor import Cursor

        ann = self.joined("ann")
        ann.cursor = Cursor(self.hub.log.epoch, {"lobby": 2**40}).encode()
        news = ann.pull()
        self.assertEqual("recreated", news["gap"]["reason"])
        self.assertEqual(["one"], texts(news))


class LeavingTests(ChatCase):
    def setUp(self):
        self.start()

    def counts(self):
        return {
            **self.server.scheduler.statistics(),
            **self.hub.statistics(),
            "exchanges": self.server.server.shared.statistics()["exchanges"],
            "connections": len(self.server.server.shared.connections),
        }

    def test_a_client_with_a_full_queue_is_dropped_and_reads_on_from_the_log(self):
        ann, bob = self.joined("ann"), self.person()
        client = self.hub.participants[next(iter(self.hub.participants))].clients["tab"]
        coroutines = self.server.scheduler.statistics()["coroutines"]
        subscription = client.subscriptions["lobby"]
        for number in range(10):
            bob.say(f"{number}")
        self.assertIsNotNone(subscription.watch)
        self.assertEqual(10, len(client.messages))
        bob.say("10")
        self.assertEqual((None, 0), (subscription.watch, len(client.messages)))
        self.assertEqual(coroutines - 1, self.server.scheduler.statistics()["coroutines"])
        for number in range(11, 30):
            bob.say(f"{number}")
        news = ann.pull()
        self.assertEqual([f"{n}" for n in range(30)], texts(news))
        self.assertNotIn("gap", news)
        bob.say("on")
        self.assertEqual(["on"], texts(ann.pull()))

    def test_a_queue_that_was_given_up_is_not_filled_again_by_another_room(self):
        self.start(queue_size=1)
        self.joined("ann", rooms="lobby,garden,attic")
        [participant] = self.hub.participants.values()
        client = participant.clients["tab"]
        # All three announce her at the same moment: the second finds the queue full.
        self.settle()
        watches = [each.watch for each in client.subscriptions.values()]
        self.assertEqual(([None] * 3, 0), (watches, len(client.messages)))

    def test_a_client_that_hangs_up_leaves_nothing_behind(self):
        before = self.counts()
        ann = self.joined("ann")
        self.settle()
        ann.pull()
        held = ann.poll()
        self.assertEqual(1, self.counts()["exchanges"])
        held.hang_up()
        self.settle()
        self.assertEqual(0, self.counts()["exchanges"])
        self.pass_time(100)
        self.assertEqual(before, self.counts())

    def asks_for_a_name(self, ann):
        """A poll of hers that asks the log what a room is called, and what it is told later."""
        told = self.server.loop.create_future()
        names_of, self.hub.log.canonical_names = (
            self.hub.log.canonical_names,
            lambda rooms: told,
        )
        held = ann.begin("GET", "/chat/pull/lobby,garden?client=tab&since=" + ann.cursor)
        self.server.loop.settle()
        self.hub.log.canonical_names = names_of
        return held, told

    def test_a_participant_who_leaves_before_the_poll_begins_leaves_nothing_behind(self):
        before = self.counts()
        ann = self.joined("ann")
        self.settle()
        ann.pull()
        held, told = self.asks_for_a_name(ann)
        self.assertEqual(200, ann.ask("DELETE", "/chat/nick").status)
        told.set_result({})
        self.settle()
        self.assertEqual({"messages": []}, ann.take(held))
        self.assertEqual([], json.loads(ann.ask("GET", "/chat/people/garden").body)["people"])
        self.pass_time(100)
        self.assertEqual(before, self.counts())

    def test_a_participant_who_leaves_and_comes_back_before_the_poll_begins_is_one(self):
        before = self.counts()
        ann = self.joined("ann")
        self.settle()
        ann.pull()
        held, told = self.asks_for_a_name(ann)
        self.assertEqual(200, ann.ask("DELETE", "/chat/nick").status)
        first, ann.cursor = ann.cursor, None
        ann.pull()
        told.set_result({})
        self.settle()
        (participant,) = self.hub.participants.values()
        self.assertIs(participant, participant.clients["tab"].participant)
        self.assertEqual(["garden", "lobby"], sorted(self.hub.rooms))
        held.hang_up()
        ann.cursor = first
        self.assertEqual(200, ann.ask("DELETE", "/chat/nick").status)
        self.pass_time(100)
        self.assertEqual(before, self.counts())

    def test_nothing_is_taken_from_who_hangs_up(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        ann.poll().hang_up()
        self.settle()
        bob.say("hi")
        self.assertEqual(["hi"], texts(ann.pull()))

    def test_what_was_taken_for_who_hangs_up_is_read_again(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        held = ann.poll()
        log = self.hub.log
        read = log.read
        stuck = self.server.loop.create_future()
        with untold(log):
            bob.say("not announced")
        log.read = lambda *arguments: stuck
        bob.say("announced")  # it is taken, and what is before it has to be read
        self.assertFalse(held.look().done)
        held.hang_up()
        self.settle()
        log.read = read
        self.assertEqual(["not announced", "announced"], texts(ann.pull()))

    def test_what_was_to_be_read_for_who_hangs_up_is_read_again(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        (client,) = self.hub.participants[_identity(self, "ann")].clients.values()
        client.forget()  # as one whose queue was full
        bob.say("missed")
        read, self.hub.log.read = self.hub.log.read, lambda *_: self.server.loop.create_future()
        held = ann.poll()
        self.assertFalse(held.look().done)
        held.hang_up()
        self.settle()
        self.hub.log.read = read
        news = ann.pull()
        self.assertEqual(["missed"], texts(news))
        self.assertIn("people", news)

    def test_what_a_superseded_poll_was_to_read_is_read_by_the_next(self):
        ann, bob = self.joined("ann"), self.joined("bob")
        self.settle()
        ann.pull()
        (client,) = self.hub.participants[_identity(self, "ann")].clients.values()
        client.forget()
        bob.say("missed")
        read, self.hub.log.read = self.hub.log.read, lambda *_: stuck
        stuck = self.server.loop.create_future()
        first = ann.poll()
        self.hub.log.read = read
        second = ann.poll()
        stuck.set_result(None)
        self.settle()
        self.assertTrue(first.look().done)
        self.assertEqual(["missed"], texts(ann.take(second)))

    def test_what_was_handed_to_who_hangs_up_at_that_moment_is_read_again(self):
        ann = self.joined("ann")
        self.settle()
        ann.pull()
        held = ann.poll()
        leaving = _Other(self.server.scheduler, held.hang_up)
        message = _message(self, "handed over")
        # The watch hands the message over, and the poll would run behind the one that leaves.
        self.hub.appended([message])
        self.server.scheduler.ready(leaving)
        self.settle()
        self.assertFalse(held.look().done)
        self.assertEqual(["handed over"], texts(ann.pull()))

    def test_a_thousand_strangers_are_forgotten(self):
        before = self.counts()
        for number in range(1000):
            self.joined(rooms=f"room{number % 50}")
        self.assertEqual(1000, self.hub.statistics()["clients"])
        self.pass_time(100)
        self.assertEqual(before, self.counts())

    def test_strangers_leave_no_object_behind(self):
        def visited(day):
            for number in range(250):
                self.joined(rooms=f"room{day}-{number}")
            self.pass_time(100)
            gc.collect()
            return len(gc.get_objects())

        # What is made once is made in the first days, and caches are full on every other.
        objects = [visited(day) for day in range(6)]
        self.assertLess(min(objects[4:]) - min(objects[2:4]), 50, objects)

    def test_a_stop_answers_held_polls_with_a_time_to_come_back(self):
        people = [self.joined() for _ in range(20)]
        self.settle()
        for person in people:
            person.pull()
        held = [person.poll() for person in people]
        self.server.loop.run_until_complete(self.server.server.stop())
        delays = [p.take(answer)["advice"]["retry"] for p, answer in zip(people, held, strict=True)]
        self.assertTrue(all(0 < delay <= 30 for delay in delays))
        self.assertGreater(len(set(delays)), 1)


class ThousandTests(ChatCase):
    def test_a_thousand_held_polls_each_get_twenty_messages(self):
        self.start()
        people = [self.joined() for _ in range(1000)]
        speaker = self.person(rooms="elsewhere")
        received = {person: [] for person in people}
        held = {person: person.poll() for person in people}
        for number in range(20):
            speaker.say(f"{number}")
            for person in people:
                answer = held[person].look()
                self.assertTrue(answer.done)
                received[person] += texts(person.take(answer))
                held[person] = person.poll()
        expected = [f"{number}" for number in range(20)]
        self.assertEqual([], [got for got in received.values() if got != expected])


class UnexpectedErrorTests(ChatCase):
    def test_it_is_told_the_same_on_either_way_and_the_connection_goes_on(self):
        self.start()
        ann = self.joined("ann")
        self.settle()
        since = ann.pull()["cursor"]
        ann.say("hello")
        self.hub.log.read = None  # which cannot be called
        line = "Something went wrong here; it has been written down."
        for accepted, body in (("application/json", f'{{"error":"{line}"}}'), ("*/*", f"{line}\n")):
            for method, path, asked in (
                ("GET", f"/chat/pull?client=one&since={since}", b""),
                ("POST", "/chat/pull", f'{{"client": "two", "since": "{since}"}}'.encode()),
            ):
                with (
                    self.subTest(method, accepted=accepted),
                    self.assertLogs(level="ERROR") as logs,
                ):
                    answer = ann.begin(method, path, asked, Accept=accepted)
                    self.assertEqual((500, body.encode()), (answer.status, answer.body))
                    self.assertIsNone(answer.header("connection"))
                    self.assertIn("TypeError", "".join(logs.output))
