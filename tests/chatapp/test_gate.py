"""Who is banned, muted, not a member, or out of a room: what they are told, and what they get."""

import asyncio
import json
import math
from unittest import mock

from chatapp.community.acts import READ
from chatapp.community.asking import NO_SUCH_ROOM
from chatapp.community.book import Edit
from chatapp.community.rooms import ANNOUNCE, CLOSED, MEMBERS, Room
from chatapp.community.standings import Ban, Standing
from chatapp.identity.person import Person as Known
from tests.chatapp.identity.test_function import at_once
from tests.chatapp.identity.test_host import HostCase
from tests.chatapp.identity.test_token import KEY, token
from tests.chatapp.lib import sites
from tests.chatapp.live.states import check_states
from tests.chatapp.support import ChatCase, texts

PRIVATE, NOT_THERE = "~abcdefghijklmn22", "~zyxwvutsrqponm77"


class Booked:
    """For a case of the chat: the book, as those in charge change it."""

    @property
    def gate(self):
        return self.app._app._gate

    @property
    def book(self):
        return self.gate.book

    def change(self, **edit):
        changed = self.book.change(lambda: Edit(**edit))
        self.assertTrue(self.server.loop.run_until_complete(changed))

    def sender(self, person):
        """The id that the log has of somebody who is here."""
        [participant] = [each for each in self.hub.participants.values() if each.nick == person]
        return participant.sender

    def keep(self, name, *nicks, **room):
        """A room with these members who are here."""
        members = {self.sender(nick): nick for nick in nicks}
        policy = MEMBERS if name.startswith("~") else "open"
        self.change(rooms=[Room(name, **{"policy": policy, "members": members, **room})])

    def quiet(self, person):
        """Have them know all that there is; what they heard."""
        heard = []
        while (answer := person.poll()).look().done:
            heard += texts(person.take(answer))
        answer.hang_up()
        self.server.loop.settle()
        return heard

    def ban(self, nick, until=math.inf, reason=""):
        standing = Standing(banned_until=until, ban_reason=reason)
        self.change(standings={self.sender(nick): standing})


class GateCase(Booked, ChatCase):
    def setUp(self):
        self.start()
        self.ann, self.bob = self.joined("ann", "lobby,garden"), self.joined("bob", "lobby,garden")
        self.settle()
        for each in (self.ann, self.bob):
            self.quiet(each)

    def told(self, answer, status):
        self.assertEqual(status, answer.status, answer.body)
        return json.loads(answer.body)

    def asked(self, person, room):
        """What somebody is told who polls for the room."""
        answer = person.ask("GET", f"/chat/pull/{room}?client=other&hold=0")
        return answer.status, json.loads(answer.body)


class BannedTests(GateCase):
    def test_nothing_is_answered_but_why(self):
        self.ban("ann", reason="spam")
        line = {"error": "You are banned: spam"}
        for method, path, body in (
            ("GET", "/chat/pull/lobby?client=tab", b""), ("POST", "/chat/push", b"hello"),
            ("GET", "/chat/history/lobby", b""), ("GET", "/chat/people/lobby", b""),
            ("GET", "/chat/nick", b""), ("POST", "/chat/nick", b"rob"),
            ("POST", "/chat/device", b"{}"), ("GET", f"/chat/pull/{PRIVATE}", b""),
        ):  # fmt: skip
            self.assertEqual(line, self.told(self.ann.ask(method, path, body), 403), path)
        self.assertEqual(200, self.ann.ask("DELETE", "/chat/nick").status)

    def test_the_poll_that_is_held_ends_at_once_with_nothing(self):
        held = self.ann.poll()
        self.ban("ann")
        self.server.loop.settle()
        self.assertEqual({"messages": []}, self.ann.take(held))
        self.bob.say("she is out")
        self.assertEqual({"error": "You are banned."}, self.told(self.ann.poll().look(), 403))
        self.settle()
        leave = {"room": "lobby", "event": "leave", "nick": "ann"}
        self.assertIn(leave, self.bob.pull()["presence"])
        check_states(self.hub)

    def test_it_ends(self):
        with mock.patch.object(self.book, "wall", lambda: 1_800_000_000.0):
            self.ban("ann", 1_800_000_060.0, "calm down")
            told = self.told(self.ann.poll().look(), 403)
            line = "You are banned until 2027-01-15 08:01 UTC: calm down"
            self.assertEqual({"error": line}, told)
        with mock.patch.object(self.book, "wall", lambda: 1_800_000_060.0):
            self.assertEqual([], texts(self.ann.pull()))
            self.assertEqual(200, self.ann.say("back").status)

    def test_nobody_is_let_in_from_an_address(self):
        visitor = self.person()
        visitor.address = self.ann.address = "10.0.0.7"
        visitor.cookies = type("Kept", (dict,), {"__setitem__": lambda *_: None})()
        visitor.pull()
        held, visited = self.ann.poll(), visitor.poll()
        self.assertFalse(held.look().done or visited.look().done)
        elsewhere = self.bob.poll()
        self.change(bans={"10.0.0.7": Ban(math.inf, "spam")})
        self.server.loop.settle()
        self.assertEqual({"messages": []}, visitor.take(visited))
        self.assertFalse(elsewhere.look().done)
        for person in (self.ann, visitor):
            self.assertEqual(
                {"error": "You are banned: spam"}, self.told(person.poll().look(), 403)
            )
            self.assertEqual(403, person.say("hello").status)
        self.ann.address = "10.0.0.8"
        self.assertEqual(200, self.ann.say("from elsewhere").status)
        self.change(bans={"10.0.0.7": None})
        self.ann.address = "10.0.0.7"
        self.assertEqual(200, self.ann.poll().look().status or 200)
        self.assertEqual(200, self.ann.say("back").status)

    def test_nobody_in_charge_is_kept_out_by_a_ban_of_their_address(self):
        own = self.sender("ann")
        self.change(standings={own: Standing(role="keeper")})
        self.ann.address = self.bob.address = "10.0.0.7"
        for each in (self.ann, self.bob):
            self.quiet(each)
        held = self.ann.poll()
        self.change(bans={"10.0.0.7": Ban(math.inf)})
        self.assertFalse(held.look().done)
        self.assertEqual(403, self.bob.say("hello").status)
        self.assertEqual(200, self.ann.say("hello").status)
        self.assertEqual(["hello"], texts(self.ann.take(held)))
        self.pass_time(3600)
        self.assertEqual("ann", json.loads(self.ann.ask("GET", "/chat/nick").body)["nick"])
        self.change(standings={own: Standing(banned_until=math.inf, role="keeper")})
        self.assertEqual(403, self.ann.ask("GET", "/chat/nick").status)
        self.change(standings={own: Standing()})
        self.assertEqual(403, self.ann.ask("GET", "/chat/nick").status)

    def test_who_was_let_in_elsewhere_is_banned_there(self):
        self.change(bans={"10.0.0.7": Ban(math.inf)})
        held = self.ann.poll()
        self.assertFalse(held.look().done)
        self.ann.address = "10.0.0.7"
        self.assertEqual(403, self.ann.poll().look().status)
        self.assertEqual(403, self.ann.ask("GET", "/chat/nick").status)


class MutedTests(GateCase):
    def mute(self, until, reason=""):
        standing = Standing(muted_until=until, mute_reason=reason)
        self.change(standings={self.sender("ann"): standing})

    def test_who_is_muted_reads_and_does_not_speak(self):
        held = self.ann.poll()
        self.mute(math.inf, "too loud")
        self.assertEqual(["rooms"], self.ann.take(held)["changed"])
        for room in ("lobby", PRIVATE, NOT_THERE):
            told = self.told(self.ann.say("hello", room), 403)
            self.assertEqual({"error": "You are muted: too loud"}, told)
        self.bob.say("hello")
        self.assertEqual(["hello"], texts(self.ann.pull()))

    def test_who_is_muted_says_nothing_by_another_nick_either(self):
        self.mute(math.inf, "too loud")
        told = self.told(self.ann.post("/chat/nick", {"nick": "I go on"}), 403)
        self.assertEqual({"error": "You are muted: too loud"}, told)
        self.mute(0.0)
        self.assertEqual(200, self.ann.post("/chat/nick", {"nick": "Ann B"}).status)

    def test_until_then(self):
        with mock.patch.object(self.book, "wall", lambda: 1_800_000_000.0):
            self.mute(1_800_000_060.0)
            told = self.told(self.ann.say("hello"), 403)
            self.assertEqual({"error": "You are muted until 2027-01-15 08:01 UTC."}, told)
        with mock.patch.object(self.book, "wall", lambda: 1_800_000_061.0):
            self.assertEqual(200, self.ann.say("hello").status)


class PolicyTests(GateCase):
    def test_in_a_closed_room_nobody_speaks_and_all_read(self):
        self.ann.say("before", "garden")
        self.keep("garden", policy=CLOSED, was="open", reason="winter")
        self.assertEqual(
            {"error": "This room is closed: winter", "room": "garden"},
            self.told(self.ann.say("x", "garden"), 403),
        )
        self.assertEqual(403, self.ann.say("x", "GARDEN").status)
        self.assertEqual(["before"], self.quiet(self.ann))
        self.assertEqual(200, self.ann.ask("GET", "/chat/history/garden").status)

    def test_where_some_speak_all_read(self):
        self.keep("garden", "bob", policy=ANNOUNCE)
        line = {"error": "Only some speak in this room; you can read it.", "room": "garden"}
        self.assertEqual(line, self.told(self.ann.say("x", "garden"), 403))
        self.assertEqual(200, self.bob.say("news", "garden").status)
        self.assertEqual(["news"], self.quiet(self.ann))


class PrivateTests(GateCase):
    def setUp(self):
        super().setUp()
        self.keep(PRIVATE, "ann", title="Plans")
        self.ann.rooms = f"lobby,{PRIVATE}"
        self.quiet(self.ann)
        self.settle()
        self.quiet(self.bob)

    def test_its_members_read_and_speak(self):
        self.assertEqual(200, self.ann.say("hello", PRIVATE).status)
        news = self.ann.pull()
        self.assertEqual([(PRIVATE, "hello")], [(m["room"], m["text"]) for m in news["messages"]])
        for what in ("history", "people"):
            self.assertEqual(200, self.ann.ask("GET", f"/chat/{what}/{PRIVATE}").status)

    def test_for_others_it_is_as_one_that_is_not_there(self):
        self.ann.say("hello", PRIVATE)
        for name in (PRIVATE, NOT_THERE):
            told = {"error": NO_SUCH_ROOM, "room": name}
            self.assertEqual((404, told), self.asked(self.bob, name))
            self.assertEqual((404, told), self.asked(self.bob, f"lobby,{name}"))
            self.assertEqual(told, self.told(self.bob.say("hello", name), 404))
            self.assertEqual((404, told), self.asked(self.person(), name))

    def test_nobody_makes_one_by_speaking_there(self):
        self.assertEqual(404, self.ann.say("hello", NOT_THERE).status)
        names = self.server.loop.run_until_complete(self.names(NOT_THERE))
        self.assertEqual({}, names)

    async def names(self, name):
        return self.hub.log.canonical_names([name])

    def test_who_is_out_has_all_that_came_before_and_nothing_after(self):
        self.keep(PRIVATE, "ann", "bob")
        self.bob.rooms = f"lobby,{PRIVATE}"
        self.quiet(self.bob)
        self.ann.say("one", PRIVATE)
        self.assertEqual(["one"], self.quiet(self.bob))
        self.settle()
        self.quiet(self.bob)
        held = self.bob.poll()
        self.keep(PRIVATE, "ann")
        self.ann.say("two", PRIVATE)
        self.assertEqual({"messages": []}, self.bob.take(held))
        told = self.told(self.bob.poll().look(), 404)
        self.assertEqual({"error": NO_SUCH_ROOM, "room": PRIVATE}, told)
        self.ann.say("in the lobby")
        self.bob.rooms = "lobby"
        news = self.bob.pull()
        self.assertEqual((["in the lobby"], ["rooms"]), (texts(news), news["changed"]))
        self.assertNotIn(PRIVATE, json.dumps(news))
        self.assertEqual(["two", "one"][::-1], self.history(self.ann))
        check_states(self.hub)

    def history(self, person):
        answer = person.ask("GET", f"/chat/history/{PRIVATE}")
        return [message["text"] for message in json.loads(answer.body)["messages"]]

    def test_who_is_put_out_while_the_log_is_read_gets_nothing_of_it(self):
        self.keep(PRIVATE, "ann", "bob")
        self.bob.rooms = PRIVATE
        self.bob.pull()
        self.bob.say("one", PRIVATE)
        log, read, before = self.hub.log, self.hub.log.read, self.hub.log.before

        async def put_out(reading):
            members = {self.sender("ann"): "ann"}
            room = Room(PRIVATE, MEMBERS, members=members)
            await self.book.change(lambda: Edit(rooms=[room]))
            return await reading

        with mock.patch.object(log, "read", lambda *given: put_out(read(*given))):
            other = self.person("other", PRIVATE)
            other.cookies, other.cursor = self.bob.cookies, self.bob.cursor
            self.assertNotIn(b"one", other.poll().look().body)
        self.assertEqual(404, self.bob.poll().look().status)
        self.keep(PRIVATE, "ann", "bob")
        with mock.patch.object(log, "before", lambda *given: put_out(before(*given))):
            self.assertEqual(404, self.bob.ask("GET", f"/chat/history/{PRIVATE}").status)

    def test_who_is_invited_is_told_that_the_list_is_another(self):
        held = self.bob.poll()
        self.assertFalse(held.look().done)
        self.keep(PRIVATE, "ann", "bob")
        self.assertEqual(["rooms"], self.bob.take(held)["changed"])
        self.assertNotIn("changed", self.bob.take(self.after(self.bob)))

    def after(self, person):
        held = person.poll()
        self.pass_time(10.1)
        return held

    def test_who_was_away_is_told_with_the_next_poll(self):
        self.keep(PRIVATE, "ann", "bob")
        self.assertEqual(["rooms"], self.bob.pull()["changed"])

    def test_a_poll_of_text_has_no_use_for_that(self):
        del self.bob.headers["Accept"]
        self.bob.cursor, self.bob.tab = None, "text"
        self.assertEqual(b"", self.bob.poll().look().body)
        self.keep(PRIVATE, "ann", "bob")
        held = self.bob.poll()
        self.assertFalse(held.look().done)
        self.ann.say("hello")
        self.assertEqual(b"ann: hello\r\n", held.look().body)

    def test_who_comes_from_another_worker_is_told_again(self):
        self.keep(PRIVATE, "ann", "bob")
        self.bob.pull()
        bob = self.person("tab", "lobby")
        bob.cookies, bob.cursor = self.bob.cookies, self.bob.cursor
        self.hub.moved(self.bob.cookies[self.bob.cookie("token")].rpartition(".")[0], "tab")
        self.assertEqual(["rooms"], bob.pull()["changed"])
        self.pass_time(61.0)
        bob.poll()
        self.hub.moved(self.bob.cookies[self.bob.cookie("token")].rpartition(".")[0], "tab")
        held = bob.poll()
        self.pass_time(10.1)
        self.assertNotIn("changed", bob.take(held))

    def test_a_member_whose_lease_is_over_reads_the_history(self):
        self.ann.say("hello", PRIVATE)
        self.pass_time(100.0)
        self.assertEqual({}, self.hub.participants)
        self.assertEqual(["hello"], self.history(self.ann))
        self.assertEqual(404, self.bob.ask("GET", f"/chat/history/{PRIVATE}").status)


class TokenTests(Booked, ChatCase):
    """Whose token names rooms."""

    def setUp(self):
        self.start(identity="token", token_key=KEY)

    def bearer(self, user, **claims):
        person = self.person()
        person.headers["Authorization"] = f"Bearer {token(sub=user, name=user, **claims)}"
        return person

    def test_other_rooms_are_not_there(self):
        ann, bob = self.bearer("ann", rooms=["Garden"]), self.bearer("bob")
        bob.say("hello", "lobby")
        self.change(rooms=[Room(PRIVATE, MEMBERS, members={"ann": "ann"})])
        for room in ("lobby", "attic", PRIVATE, NOT_THERE):
            ann.rooms = room
            told = {"error": NO_SUCH_ROOM, "room": room}
            self.assertEqual(told, json.loads(ann.poll().look().body))
            self.assertEqual(404, ann.say("hello", room).status)
            self.assertEqual(404, ann.ask("GET", f"/chat/history/{room}").status)
        ann.rooms = "garden"
        self.assertEqual({"garden": ["ann"]}, ann.pull()["people"])
        self.assertEqual(200, ann.say("hello", "garden").status)

    def test_a_private_room_among_them_is_for_its_members(self):
        ann, bob = (self.bearer(user, rooms=[PRIVATE]) for user in ("ann", "bob"))
        self.change(rooms=[Room(PRIVATE, MEMBERS, members={"ann": "ann"})])
        for person, status in ((ann, 200), (bob, 404)):
            self.assertEqual(status, person.say("hello", PRIVATE).status)

    def test_who_has_several_tokens_is_banned_with_all_of_them(self):
        whole, part, other = (
            self.bearer("ann"), self.bearer("ann", rooms=["lobby"]), self.bearer("ann", rooms=["x"])
        )  # fmt: skip
        for each in (whole, part):
            self.quiet(each)
        other.ask("GET", "/chat/nick")
        other.ask("DELETE", "/chat/nick")
        held = [each.poll() for each in (whole, part)]
        self.change(standings={"ann": Standing(banned_until=math.inf)})
        self.server.loop.settle()
        for person, poll in zip((whole, part), held, strict=True):
            self.assertEqual({"messages": []}, person.take(poll))
            self.assertEqual(403, person.poll().look().status)
        self.assertEqual({}, self.hub.participants)
        self.assertEqual({}, self.hub.by_sender)

    def test_a_role_that_is_given_here_is_told(self):
        ann = self.bearer("ann")
        self.assertEqual(("member", ["open"]), self.you(ann))
        self.change(standings={"ann": Standing(role="keeper")})
        self.assertEqual(["rooms"], ann.pull()["changed"])
        ann.tab, ann.cursor = "other", None
        self.assertEqual(("keeper", ["open", "mute", "ban", "oversee"]), self.you(ann))

    def you(self, person):
        you = person.pull()["you"]
        return you["role"], you["may"]


class SiteTests(Booked, HostCase):
    """`chat.allow = mysite.chat:may`."""

    def setUp(self):
        self.enterContext(mock.patch.object(asyncio, "to_thread", at_once))
        self.enterContext(mock.patch.dict(sites.answers, clear=True))

    def site(self, name, **options):
        self.begin(allow=f"tests.chatapp.lib.sites:{name}", **options)

    def test_a_room_is_there_for_those_whom_the_site_lets_see_it(self):
        self.site("staff")
        ann, eve = self.user("ann"), self.user("eve")
        eve.headers["Remote-Groups"] = "guests"
        self.assertEqual(200, ann.say("hello", "staff").status)
        for room in ("staff", "STAFF", NOT_THERE):
            answer = eve.ask("GET", f"/chat/history/{room}")
            told = {"error": NO_SUCH_ROOM, "room": room}
            self.assertEqual((404, told), (answer.status, json.loads(answer.body)))
        self.assertEqual(200, eve.say("hello").status)

    def test_it_is_asked_again_after_a_minute_and_no_poll_is_held_for_longer(self):
        self.site("replaced", poll_timeout=300, lease=200)
        ann = self.user("ann", "ann")
        ann.rooms = "garden"
        ann.pull()
        self.settle()
        ann.pull()
        held = ann.poll()
        self.pass_time(50.0)
        sites.answers["ann", "garden", "read"] = False
        self.assertFalse(held.look().done)
        self.pass_time(10.0)
        self.assertEqual([], ann.take(held)["messages"])
        self.user("bob").say("hello", "garden")
        answer = ann.poll().look()
        refusal = {"error": "You may not do that here.", "room": "garden"}
        self.assertEqual((403, refusal), (answer.status, json.loads(answer.body)))
        sites.answers["ann", "garden", "see"] = False
        self.pass_time(60.0)
        self.assertEqual(404, ann.poll().look().status)
        check_states(self.hub)

    def forget(self, person=None, room=None):
        async def forgetting():
            self.gate.forget(person, room)

        self.server.loop.run_until_complete(forgetting())

    def test_what_it_says_otherwise_is_told_to_the_gate(self):
        self.site("replaced")
        ann = self.user("ann", "ann")
        ann.rooms = "garden"
        ann.pull()
        self.settle()
        ann.pull()
        held = ann.poll()
        sites.answers["ann", "garden", "see"] = False
        for person, room in (("bob", None), (None, "lobby")):
            self.forget(person, room)
            self.server.loop.settle()
            self.assertFalse(held.look().done)
        self.forget(person="ann")
        self.server.loop.settle()
        self.assertEqual([], ann.take(held)["messages"])
        self.assertEqual(404, ann.poll().look().status)

    def test_a_change_of_the_book_is_asked_about(self):
        self.site("staff")
        self.change(rooms=[Room(PRIVATE, MEMBERS, members={"ann": "ann"})])
        ann = self.user("ann", "ann")
        ann.rooms = PRIVATE
        ann.pull()
        self.settle()
        ann.pull()
        held = ann.poll()
        self.change(rooms=[Room(PRIVATE, MEMBERS, members={"bob": "bob"})])
        self.server.loop.settle()
        self.assertEqual([], ann.take(held)["messages"])
        self.assertEqual(404, ann.poll().look().status)

    def test_it_cannot_forget_a_ban_nor_who_is_muted_nor_make_a_private_room(self):
        self.site("everybody")
        ann = self.user("ann", "ann")
        self.assertEqual(404, ann.say("hello", NOT_THERE).status)
        self.change(standings={"ann": Standing(muted_until=math.inf)})
        self.assertEqual(403, ann.say("hello").status)
        self.change(standings={"ann": Standing(banned_until=math.inf)})
        self.assertEqual(403, ann.poll().look().status)

    def test_one_that_fails_is_a_503_and_a_line(self):
        self.site("broken")
        ann = self.user("ann", "ann")
        for act in (ann.poll, lambda: ann.say("hello")):
            with self.assertLogs("chatapp.lib.rules", "ERROR") as said:
                answer = act().look()
            self.assertEqual((503, "2"), (answer.status, answer.header("Retry-After")))
            self.assertIn("cannot be found out now", json.loads(answer.body)["error"])
            self.assertEqual([0], [r.getMessage().count("\\n") for r in said.records[:1]])
            self.assertIsNone(said.records[0].exc_info)

    def test_keepers_alone_speak_where_the_site_says_so(self):
        self.site("replaced")
        ann = self.user("ann", "ann")
        self.assertEqual(403, ann.say("hello", "news").status)
        self.change(standings={"ann": Standing(role="keeper")})
        self.assertEqual(200, ann.say("hello", "news").status)

    def test_a_room_that_one_sees_and_may_not_read_is_refused_by_its_name(self):
        self.site("sealed")
        ann = self.user("ann", "ann")
        for path in ("/chat/pull/lobby,Sealed?hold=0", "/chat/history/Sealed"):
            answer = ann.ask("GET", path)
            told = {"error": "You may not do that here.", "room": "Sealed"}
            self.assertEqual((403, told), (answer.status, json.loads(answer.body)))

    def test_it_is_asked_about_the_room_as_it_is_where_that_changes_while_it_thinks(self):
        self.site("membered")
        self.change(rooms=[Room(PRIVATE, MEMBERS, members={"ann": "ann", "bob": "bob"})])
        ann, room = Known("ann", role="member"), self.book.room(PRIVATE)

        def expel():
            changed = Room(PRIVATE, MEMBERS, members={"bob": "bob"})
            return self.book.change(lambda: Edit(rooms=[changed]))

        sites.meanwhile.append(expel)
        for asked in (room, self.book.room(PRIVATE)):
            finding = self.gate.find_out(ann, asked, READ)
            self.assertFalse(self.server.loop.run_until_complete(finding))
        self.assertEqual(404, self.user("ann").ask("GET", f"/chat/history/{PRIVATE}").status)

    def test_who_would_make_a_room_is_not_told_that_there_is_one(self):
        self.site("membered")
        self.change(rooms=[Room("Board", ANNOUNCE, members={"ann": "ann"})])
        bob = self.user("bob")
        for policy in ("announce", "open"):
            answer = bob.post("/chat/rooms", {"title": "board", "policy": policy})
            told = {"error": "You may not do that here."}
            self.assertEqual((403, told), (answer.status, json.loads(answer.body)))
            self.assertEqual(404, bob.ask("GET", "/chat/history/board").status)
        answer = bob.post("/chat/rooms", {"title": "Bread", "policy": "announce"})
        self.assertEqual(200, answer.status, answer.body)

    def test_who_is_turned_out_while_the_site_thinks_is_not_let_in(self):
        self.site("replaced")
        self.change(rooms=[Room(PRIVATE, MEMBERS, members={"ann": "ann"})])
        ann = self.user("ann", "ann")
        ann.rooms = PRIVATE
        resolving = self.hub.log.canonical_names

        async def slow(names):
            sites.answers["ann", PRIVATE, "see"] = False
            await self.book.change(lambda: Edit(rooms=[Room(PRIVATE, MEMBERS)]))
            return resolving(names)

        with mock.patch.object(self.hub.log, "canonical_names", slow):
            self.assertEqual(404, ann.poll().look().status)
        self.assertNotIn(PRIVATE, self.hub.rooms)
