"""`chat.identity = host`: two people behind one proxy, and somebody who goes around it."""

import json

from tests.chatapp.support import ChatCase, texts


class HostCase(ChatCase):
    served = {"trusted_proxies": "127.0.0.1"}
    address = "127.0.0.1"

    def begin(self, **options):
        names = {"user_header": "Remote-User", "name_header": "Remote-Name"}
        self.start(identity="host", **{**names, "groups_header": "Remote-Groups", **options})

    def user(self, user, name="", address="127.0.0.1"):
        person = self.person()
        person.address = address
        if user:
            person.headers |= {"Remote-User": user, "Remote-Groups": "staff, chat"}
        if name:
            person.headers["Remote-Name"] = name
        return person

    def refused(self, person, method="GET", path="/chat/nick", body=b""):
        answer = person.ask(method, path, body)
        self.assertEqual(401, answer.status, answer.body)
        return json.loads(answer.body)


class HostTests(HostCase):
    def setUp(self):
        self.begin(login_url="/login")

    def test_who_is_signed_in_is_in_under_the_name_that_the_host_says(self):
        ann = self.user("ann@x.example", "Ann Lee")
        self.assertEqual("Ann Lee", ann.pull()["you"]["nick"])
        self.assertEqual(200, ann.say("hello").status)
        [participant] = self.hub.participants.values()
        self.assertEqual(("staff", "chat"), participant.person.groups)
        [message] = ann.pull()["messages"]
        self.assertEqual(("Ann Lee", "hello"), (message["nick"], message["text"]))
        self.assertNotIn("ann@x", json.dumps(message))

    def test_a_person_is_one_at_each_of_their_browsers(self):
        first, second = (self.user("ann", "Ann") for _ in range(2))
        second.tab = "other"
        you = [each.pull()["you"] for each in (first, second)]
        self.assertEqual(you[0], you[1])
        self.settle()
        self.assertEqual(["Ann"], second.people["lobby"])
        first.say("from one")
        self.assertEqual(["from one"], texts(second.pull()))

    def test_without_a_user_nothing_is_seen(self):
        self.user("ann").say("hello")
        stranger = self.user("")
        for method, path in (
            ("GET", "/chat/pull/lobby?client=tab"),
            ("GET", "/chat/pull?since=x&hold=0"),
            ("GET", "/chat/history/lobby"),
            ("GET", "/chat/people/lobby"),
            ("GET", "/chat/nick"),
            ("POST", "/chat/nick"),
            ("POST", "/chat/push"),
        ):
            body = b"ann" if method == "POST" else b""
            if "since" in path:
                self.assertEqual(400, stranger.ask(method, path, body).status)
                continue
            told = self.refused(stranger, method, path, body)
            self.assertEqual({"error": "Sign in to come in.", "login": "/login"}, told)
        self.assertEqual({}, stranger.cookies)

    def test_the_page_says_where_to_sign_in(self):
        stranger = self.user("")
        answer = stranger.ask("GET", "/", Accept="text/html")
        self.assertEqual(401, answer.status)
        self.assertIn(b'<a href="/login">Sign in</a>', answer.body)
        self.assertEqual('Session realm="chat"', answer.header("WWW-Authenticate"))
        page = self.user("ann", "Ann Lee").ask("GET", "/", Accept="text/html")
        whose = rb'data-nick="Ann Lee" data-sender="[\w-]{12}" data-known="yes"'
        self.assertRegex(page.body, whose)

    def test_who_goes_around_the_proxy_is_nobody(self):
        mallory = self.user("ann", address="10.0.0.9")
        with self.assertLogs("chatapp.identity.host", "WARNING") as said:
            self.refused(mallory)
            self.refused(mallory)
        self.assertEqual(1, len(said.output))
        self.assertIn("Remote-User came from 10.0.0.9", said.output[0])
        ann = self.user("ann")
        ann.pull()
        mallory.cookies = dict(ann.cookies)
        self.refused(mallory)
        mallory.headers.pop("Remote-User")
        self.refused(mallory, path="/chat/pull/lobby?client=tab")

    def test_another_user_with_the_same_cookies_is_another_person(self):
        ann = self.user("ann", "Ann")
        ann.pull()
        held = ann.poll()
        self.assertFalse(held.look().done)
        ann.headers |= {"Remote-User": "bob", "Remote-Name": "Bob"}
        self.assertEqual(b'{"nick":"Bob"}', ann.ask("GET", "/chat/nick").body)
        self.assertEqual("Bob", ann.pull()["you"]["nick"])

    def test_who_has_lost_a_group_is_in_it_no_longer_with_the_same_cookies(self):
        self.begin(keeper_groups="chat")
        ann = self.user("ann")
        sender = ann.pull()["you"]["sender"]
        told = []
        for groups in ("staff, chat", "staff", "chat", ""):
            ann.headers["Remote-Groups"] = groups
            told.append(json.loads(ann.ask("GET", "/chat/me").body))
        self.assertEqual(["keeper", "member"] * 2, [each["role"] for each in told])
        self.assertEqual({sender}, {each["sender"] for each in told})

    def test_two_with_one_name_are_told_apart(self):
        nicks = [self.user(f"u{n}", "Ann").pull()["you"]["nick"] for n in range(3)]
        self.assertEqual(["Ann", "Ann 2", "Ann 3"], nicks)

    def test_a_name_changes_where_one_signs_in_and_nowhere_else(self):
        ann = self.user("ann", "Ann")
        sender = ann.pull()["you"]["sender"]
        answer = ann.post("/chat/nick", {"nick": "Queen"})
        self.assertEqual(403, answer.status)
        self.assertIn(b"where you sign in", answer.body)
        other = self.user("ann", "Ann Lee")
        other.tab = "other"
        self.assertEqual("Ann Lee", other.pull()["you"]["nick"])
        other.say("hello")
        [message] = other.pull()["messages"]
        self.assertEqual(("Ann Lee", sender), (message["nick"], message["sender"]))

    def test_a_browser_that_is_in_takes_the_name_that_the_host_says_by_now(self):
        for groups in ("Remote-Groups", ""):
            with self.subTest(groups=groups):
                self.begin(groups_header=groups)
                ann, bob = self.user("ann", "Ann"), self.user("bob", "Bob")
                sender = ann.pull()["you"]["sender"]
                bob.pull()
                self.settle()
                bob.pull()
                cookies = dict(ann.cookies)
                ann.headers["Remote-Name"] = "Ann Lee"
                self.assertEqual(200, ann.say("hello").status)
                self.assertNotEqual(cookies, ann.cookies)
                [message] = bob.pull()["messages"]
                self.assertEqual(("Ann Lee", sender), (message["nick"], message["sender"]))
                self.settle()
                self.assertIn({"room": "lobby", "event": "nick", "nick": "Ann Lee", "was": "Ann"},
                              bob.pull()["presence"])  # fmt: skip
                given = dict(ann.cookies)
                ann.ask("GET", "/chat/nick")
                self.assertEqual(given, ann.cookies)

    def test_remote_user_of_the_environ_counts_where_no_header_is_named(self):
        def signed_in(app):
            def application(environ, start_response):
                if (user := environ.get("HTTP_X_TEST")) is not None:
                    environ["REMOTE_USER"] = user
                return app(environ, start_response)

            return application

        self.wrapped = signed_in
        self.begin(user_header="", name_header="")
        ann = self.user("mallory")
        self.refused(ann)
        ann.headers["X-Test"] = "ann"
        self.assertEqual(b'{"nick":"ann"}', ann.ask("GET", "/chat/nick").body)

    def test_where_no_header_has_the_user_others_are_still_believed_from_the_proxy_alone(self):
        def signed_in(app):
            def application(environ, start_response):
                environ["REMOTE_USER"] = "ann"
                return app(environ, start_response)

            return application

        self.wrapped = signed_in
        self.begin(user_header="", keeper_groups="chat")
        for address, told in (("127.0.0.1", ["Queen", "keeper"]), ("192.0.2.1", ["ann", "member"])):
            person = self.user("x", "Queen", address)
            you = json.loads(person.ask("GET", "/chat/me").body)
            self.assertEqual(told, [you["nick"], you["role"]])
