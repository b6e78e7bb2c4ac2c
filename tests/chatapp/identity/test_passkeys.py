"""A member signs in with a passkey; who only looks like one is refused in a line."""

import asyncio
import contextlib
import copy
import json
import math
import random
from unittest import mock

from webob import Request

from chatapp.community.standings import Ban
from chatapp.identity.members import all_members
from chatapp.identity.passkeyrecords import MOST_PASSKEYS
from chatapp.identity.passkeys import Passkeys
from chatapp.identity.signingout import sign_out
from chatapp.lib.identity import Signer
from tests.chatapp.identity.authenticator import Authenticator, decoded, encoded
from tests.chatapp.identity.test_members import MembersCase
from tests.chatapp.test_gate import Booked

URL, HOST = "https://chat.example", "chat.example"
OFFER, SIGN_IN = "/chat/me/passkeys", "/chat/sign-in"


class PasskeysCase(Booked, MembersCase):
    def setUp(self):
        with self.assertLogs("chatapp.lib.signedout", "WARNING"):
            self.start(identity="members", url=URL, passkeys="true")

    def asked(self, person, path, body, status=200):
        answer = person.post(path, body)
        self.assertEqual(status, answer.status, answer.body)
        return json.loads(answer.body)

    def added(self, member, passkey=None):
        """A passkey of the member."""
        passkey = passkey or Authenticator(URL, HOST)
        offer = self.asked(member, OFFER, {})
        self.asked(member, OFFER, {"credential": passkey.make(offer)})
        return passkey

    def question(self):
        return self.asked(self.person(), SIGN_IN, {})

    def refused(self, credential, line="does not hold"):
        """Whoever brings it is told why in a line, and is not in."""
        stranger = self.person()
        answer = stranger.post(SIGN_IN, {"credential": credential})
        self.assertEqual(403, answer.status, answer.body)
        self.assertIn(line, json.loads(answer.body)["error"])
        self.assertEqual(401, stranger.ask("GET", "/chat/me").status)


class PasskeysTests(PasskeysCase):
    def test_a_member_adds_one_and_is_in_on_another_device_without_a_link(self):
        ann = self.member("Ann")
        passkey = self.added(ann)
        phone = self.person("phone")
        for _ in range(2):
            self.asked(phone, SIGN_IN, {"credential": passkey.answer(self.question())})
            me = json.loads(phone.ask("GET", "/chat/me").body)
            self.assertEqual("Ann", me["nick"])
        self.assertEqual(3, len(me["devices"]))
        [kept] = json.loads(ann.ask("GET", OFFER).body)["passkeys"]
        self.assertEqual({"passkey", "label", "at"}, kept.keys())

    def test_what_is_offered_is_for_this_member_and_this_chat(self):
        ann = self.member("Ann")
        passkey = self.added(ann)
        offer = self.asked(ann, OFFER, {})
        self.assertEqual({"name": "Chat", "id": HOST}, offer["rp"])
        self.assertEqual("Ann", offer["user"]["name"])
        made = passkey.make(offer)
        self.assertEqual([made["id"]], [each["id"] for each in offer["excludeCredentials"]])
        self.assertEqual("required", offer["authenticatorSelection"]["userVerification"])
        self.assertEqual("required", self.question()["userVerification"])

    def test_a_challenge_is_answered_once(self):
        ann = self.member("Ann")
        passkey = Authenticator(URL, HOST)
        made = passkey.make(self.asked(ann, OFFER, {}))
        self.asked(ann, OFFER, {"credential": made})
        self.asked(ann, OFFER, {"credential": made}, 403)
        other = Authenticator(URL, HOST)
        challenge = {"challenge": json.loads(_client(made))["challenge"], "user": {"id": "eA"}}
        self.asked(ann, OFFER, {"credential": other.make(challenge)}, 403)
        passkey.step = 0
        answer = passkey.answer(self.question())
        self.asked(self.person(), SIGN_IN, {"credential": answer})
        self.refused(answer, "used already")

    def test_a_challenge_is_for_its_time_and_its_purpose(self):
        ann, bob = self.member("Ann"), self.member("Bob")
        passkey = self.added(ann)
        offer = self.asked(ann, OFFER, {})
        self.refused(passkey.answer(offer), "too long")
        late = passkey.answer(self.question())
        with mock.patch("time.time", lambda: 4e9):
            self.refused(late, "too long")
        made = Authenticator(URL, HOST).make(offer)
        self.asked(bob, OFFER, {"credential": made}, 403)
        for challenge in ("", "eA", "!", json.loads(_client(late))["challenge"][:-2] + "AA"):
            self.refused(passkey.answer({"challenge": challenge}), "")

    def test_what_does_not_hold_is_refused(self):
        ann = self.member("Ann")
        passkey = self.added(ann)
        with self.assertLogs("chatapp.identity.passkeys", "WARNING"):
            for name, wrong in (
                ("origin", "https://evil.example"),
                ("origin", "http://chat.example"),
                ("host", "evil.example"),
                ("verifies", False),
                ("key", Authenticator(URL, HOST).key),
            ):
                with self.subTest(name):
                    odd = copy.copy(passkey)
                    odd.uses = 5
                    setattr(odd, name, wrong)
                    self.refused(odd.answer(self.question()))
        self.refused(Authenticator(URL, HOST).answer(self.question()), "no member")
        passkey.uses = 5
        self.asked(self.person(), SIGN_IN, {"credential": passkey.answer(self.question())})

    def test_a_copy_that_counts_from_before_is_refused(self):
        passkey = self.added(self.member("Ann"))
        copied = copy.copy(passkey)
        for _ in range(2):
            self.asked(self.person(), SIGN_IN, {"credential": passkey.answer(self.question())})
        with self.assertLogs("chatapp.identity.passkeys", "WARNING") as said:
            self.refused(copied.answer(self.question()))
        self.assertIn("sign count of 1 was not greater than current count of 2", said.output[0])

    def test_one_that_is_made_elsewhere_or_by_a_locked_device_is_not_kept(self):
        ann = self.member("Ann")
        with self.assertLogs("chatapp.identity.passkeys", "WARNING"):
            for name, wrong in (("origin", "https://evil.example"), ("verifies", False)):
                passkey = Authenticator(URL, HOST)
                setattr(passkey, name, wrong)
                made = passkey.make(self.asked(ann, OFFER, {}))
                self.asked(ann, OFFER, {"credential": made}, 403)
        self.assertEqual([], json.loads(ann.ask("GET", OFFER).body)["passkeys"])

    def test_one_that_is_removed_signs_nobody_in(self):
        ann, bob = self.member("Ann"), self.member("Bob")
        passkey = self.added(ann)
        [kept] = json.loads(ann.ask("GET", OFFER).body)["passkeys"]
        self.asked(bob, OFFER, {"remove": kept["passkey"]}, 404)
        for odd in (7, None, ["x"], "x"):
            self.asked(ann, OFFER, {"remove": odd}, 404)
        self.assertEqual([], self.asked(ann, OFFER, {"remove": kept["passkey"]})["passkeys"])
        self.refused(passkey.answer(self.question()), "no member")

    def test_who_is_signed_out_everywhere_has_none_any_more(self):
        ann = self.member("Ann")
        passkey = self.added(ann)
        [member] = asyncio.run(all_members(self.hub.log.records))
        asyncio.run(sign_out(self.hub.log.records, member.id))
        self.refused(passkey.answer(self.question()), "no member")
        kept = asyncio.run(self.hub.log.records.all("passkey"))
        self.assertEqual({}, kept)

    def test_who_is_signed_out_while_coming_in_by_one_is_out(self):
        """At whichever change of the log it comes between."""
        for changes in (0, 1, 2):
            with self.subTest(changes=changes):
                passkey = self.added(self.member(f"Ann {changes}"))
                phone, answer = self.person(), passkey.answer(self.question())
                with self.signed_out_after(f"Ann {changes}", changes):
                    phone.post(SIGN_IN, {"credential": answer})
                self.pass_time(0.6)
                self.assertEqual(401, phone.ask("GET", "/chat/me").status)
                self.assertEqual({}, asyncio.run(self.hub.log.records.all("passkey")))
                found = asyncio.run(all_members(self.hub.log.records))
                self.assertEqual([()] * (changes + 1), [each.devices for each in found])

    def test_a_device_that_is_signed_out_meanwhile_adds_none(self):
        ann = self.member("Ann")
        made = Authenticator(URL, HOST).make(self.asked(ann, OFFER, {}))
        verified = Passkeys._verified

        async def slow(passkeys, verify, **given):
            found = await verified(passkeys, verify, **given)
            await self.sign_out("Ann")
            return found

        with mock.patch.object(Passkeys, "_verified", slow):
            self.asked(ann, OFFER, {"credential": made}, 403)
        self.assertEqual({}, asyncio.run(self.hub.log.records.all("passkey")))

    @contextlib.contextmanager
    def signed_out_after(self, name, changes):
        """Once the log has taken so many changes, or all that there are."""
        records, left = self.hub.log.records, [None] * changes
        change = records.change

        async def counted(found, changes):
            if left:
                left.pop()
            else:
                records.change = change
                await self.sign_out(name)
            return await change(found, changes)

        records.change = counted
        try:
            yield
        finally:
            if records.change is not change:
                records.change = change
                asyncio.run(self.sign_out(name))

    async def sign_out(self, name):
        records = self.hub.log.records
        [member] = [each for each in await all_members(records) if each.name == name]
        await sign_out(records, member.id)

    def test_who_is_banned_with_the_address_manages_none(self):
        ann = self.member("Ann")
        self.added(ann)
        [kept] = json.loads(ann.ask("GET", OFFER).body)["passkeys"]
        ann.address = "10.0.0.7"
        self.change(bans={"10.0.0.7": Ban(math.inf, "spam")})
        for body in (None, {}, {"credential": {}}, {"remove": kept["passkey"]}):
            answer = ann.ask("GET", OFFER) if body is None else ann.post(OFFER, body)
            self.assertEqual(403, answer.status)
            self.assertEqual({"error": "You are banned: spam"}, json.loads(answer.body))
        self.assertEqual(2, len(asyncio.run(self.hub.log.records.all("passkey"))))

    def test_under_another_server_they_say_what_they_need(self):
        with self.assertLogs("chatapp", "ERROR"):
            for path, body in ((OFFER, None), (OFFER, b"{}"), (SIGN_IN, b"{}")):
                answer = Request.blank(path, POST=body).get_response(self.app)
                self.assertEqual(501, answer.status_code)
                self.assertIn("egg:ChatApp#http", answer.text)

    def test_a_member_has_so_many(self):
        ann = self.member("Ann")
        offers = [self.asked(ann, OFFER, {}) for _ in range(MOST_PASSKEYS + 1)]
        for offer in offers[:-1]:
            self.asked(ann, OFFER, {"credential": Authenticator(URL, HOST).make(offer)})
        answer = self.asked(ann, OFFER, {}, 409)
        self.assertIn("remove one first", answer["error"])
        made = Authenticator(URL, HOST).make(offers[-1])
        self.asked(ann, OFFER, {"credential": made}, 403)

    def test_whatever_is_sent_is_answered_in_a_line(self):
        ann = self.member("Ann")
        passkey = self.added(ann)
        chance = random.Random(7)
        with self.assertLogs("chatapp", "WARNING"):
            for path, person, good in (
                (SIGN_IN, self.person(), lambda: passkey.answer(self.question())),
                (OFFER, ann, lambda: Authenticator(URL, HOST).make(self.asked(ann, OFFER, {}))),
            ):
                for _ in range(150):
                    answer = person.post(path, {"credential": _broken(good(), chance)})
                    self.assertIn(answer.status, (200, 403), answer.body)
                for odd in (None, 7, "x", [], {}, {"id": "x"}, {"id": 7, "response": {}},
                            {"id": "x" * 5000, "response": {}}):  # fmt: skip
                    self.assertEqual(403, person.post(path, {"credential": odd}).status)
        self.assertEqual(413, ann.post(OFFER, {"credential": "x" * 20_000}).status)

    def test_strangers_leave_nothing_behind(self):
        before = dict(self.hub.log.records._kept)
        for _ in range(10):
            self.question()
        self.assertEqual(before, self.hub.log.records._kept)

    def test_another_site_can_ask_for_nothing(self):
        headers = {"Origin": "https://evil.example"}
        for path in (OFFER, SIGN_IN):
            self.assertEqual(403, self.person().ask("POST", path, b"{}", **headers).status)
        self.assertEqual(401, self.person().post(OFFER, {}).status)

    def test_the_page_that_refuses_offers_it(self):
        page = self.person().ask("GET", "/", Accept="text/html")
        self.assertEqual(401, page.status)
        self.assertIn(b'id="passkey"', page.body)


class WithoutTests(MembersCase):
    def test_where_they_are_not_wanted_there_are_none(self):
        with self.assertLogs("chatapp.lib.signedout", "WARNING"):
            self.start(identity="members")
        for path in (OFFER, SIGN_IN):
            self.assertEqual(404, self.person().post(path, {}).status)
        page = self.person().ask("GET", "/", Accept="text/html")
        self.assertNotIn(b'id="passkey"', page.body)

    def test_what_they_need_is_said_at_the_start(self):
        signer = Signer(b"k", "")
        for url in ("http://chat.example", "https://10.0.0.1", "https://[::1]:8000"):
            with self.assertRaisesRegex(ValueError, "needs a chat.url of https"):
                Passkeys(url, "Chat", signer)
        for url in ("https://chat.example", "https://chat.example:8443", "http://localhost:5000"):
            Passkeys(url, "Chat", signer)
        with self.assertRaisesRegex(SystemExit, "chat.passkeys is for chat.identity = members"):
            self.start(passkeys="true", url=URL)
        with (
            mock.patch.dict("sys.modules", {"webauthn": None}),
            self.assertRaisesRegex(SystemExit, "needs webauthn: pip install"),
        ):
            self.start(identity="members", passkeys="true", url=URL)


def _client(credential):
    return decoded(credential["response"]["clientDataJSON"])


def _broken(credential, chance):
    """The same with one part of it wrong."""
    response = credential["response"]
    name = chance.choice(list(response))
    data = bytearray(decoded(response[name]))
    if data and chance.random() < 0.7:
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    else:
        data = data[: chance.randrange(len(data) + 1)]
    response[name] = chance.choice([encoded(bytes(data)), "!", None, 7, [], ""])
    return credential
