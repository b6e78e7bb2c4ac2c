"""The same person on another device, by a link that works once."""

import json

from chatapp.lib.qr import qr_of
from tests.chatapp.support import ChatCase, texts


class DeviceTests(ChatCase):
    def setUp(self):
        self.start()
        self.ann = self.joined("ann")
        self.ann.say("from the first")

    def link(self):
        told = json.loads(self.ann.post("/chat/device", {}).body)
        self.assertEqual(600, told["seconds"])
        self.assertTrue(told["url"].endswith(f"/device/{told['code']}"))
        return f"/device/{told['code']}"

    def test_the_other_device_is_the_same_person_from_then_on(self):
        path, phone = self.link(), self.person("phone")
        for _ in range(2):  # a preview opens it too, and uses nothing up
            page = phone.ask("GET", path, Accept="text/html")
            self.assertEqual(200, page.status)
            self.assertIn(b"Go on as <bdi>ann</bdi>", page.body)
        answer = phone.ask("POST", path)
        self.assertEqual(303, answer.status)
        self.assertEqual("../", answer.header("Location"))
        self.assertIn(b'data-nick="ann"', phone.ask("GET", "/", Accept="text/html").body)
        self.ann.cursor = None
        self.ann.tab = "again"
        self.assertEqual(self.ann.pull()["you"], phone.pull()["you"])
        phone.say("from the phone")
        self.assertEqual(["from the phone"], texts(phone.pull()))
        history = json.loads(self.ann.ask("GET", "/chat/history/lobby").body)["messages"]
        self.assertEqual(1, len({message["sender"] for message in history}))

    def test_a_link_works_once_and_not_for_long(self):
        path = self.link()
        self.assertEqual(303, self.person().ask("POST", path).status)
        late = self.link()
        wall = self.hub.log.records._wall
        self.hub.log.records._wall = lambda: wall() + 601
        for each in (path, late, "/device/none"):
            for method in ("GET", "POST"):
                answer = self.person().ask(method, each)
                self.assertEqual(404, answer.status)
                self.assertIn(b"Ask for another", answer.body)

    def test_the_link_is_drawn_for_a_camera(self):
        told = json.loads(self.ann.post("/chat/device", {}).body)
        self.assertEqual(qr_of(told["url"]), told["qr"])

    def test_the_page_says_where_it_is_as_a_proxy_may_not(self):
        base = "https://chat.example/below"
        told = json.loads(self.ann.post("/chat/device", {"base": base}).body)
        self.assertEqual(f"{base}/device/{told['code']}", told["url"])
        for strange in ("javascript:x", "https://x/", "https://x y", "https://" + "x" * 300, 7, ""):
            answer = self.ann.post("/chat/device", {"base": strange})
            self.assertEqual(400, answer.status, strange)
        self.assertEqual(413, self.ann.post("/chat/device", {"base": "x" * 2000}).status)

    def test_the_page_of_another_site_can_neither_make_nor_use_one(self):
        headers = {"Origin": "http://evil.example"}
        self.assertEqual(403, self.ann.ask("POST", "/chat/device", b"{}", **headers).status)
        path = self.link()
        self.assertEqual(403, self.person().ask("POST", path, **headers).status)
        self.assertEqual(303, self.person().ask("POST", path).status)

    def test_what_is_kept_lets_nobody_in(self):
        path = self.link()
        [(key, text)] = [
            each for each in self.hub.log.records._kept.items() if each[0].startswith("code:")
        ]
        self.assertNotIn(path.rpartition("/")[2], f"{key}{text}")

    def test_where_people_are_known_there_is_none(self):
        self.start(identity="host")
        for method, path in (("POST", "/chat/device"), ("GET", "/device/x"), ("POST", "/device/x")):
            answer = self.person().ask(method, path)
            self.assertEqual(404, answer.status)
            self.assertIn(b"Sign in on the other device", answer.body)
