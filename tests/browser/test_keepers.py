"""Pages of those in charge, and of whom they have to do with."""

import json

from benchmarks.harness.chat import ChatServer
from tests.browser.chromium import PageTestCase, close_all, expect
from tests.browser.test_community import choose_in
from tests.chatapp.command.program import run

tearDownModule = close_all

KNOWN = {"chat.identity": "host", "chat.user_header": "Remote-User",
         "chat.name_header": "Remote-Name", "chat.keepers": "kim"}  # fmt: skip


class KnownCase(PageTestCase):
    """A proxy says who each is; Kim is a keeper."""

    options = KNOWN

    def serve(self):
        return self.enterContext(self.server_of())

    def server_of(self):
        return ChatServer(app=self.options, server={"trusted_proxies": "127.0.0.1"})

    def signed_in(self, name):
        headers = {"Remote-User": name.lower(), "Remote-Name": name}
        return self.tab(self.user(extra_http_headers=headers)).open().wait_connected()


class OldMessageTests(KnownCase):
    """An older version did not write down who sent a message."""

    def serve(self):
        server = self.server_of()
        message = {"room": "lobby", "seq": 1, "nick": "Ann", "text": "long ago", "at": 1.6e9,
                   "kind": "said"}  # fmt: skip
        lines = ({"export": 1}, {"room": "lobby"}, message)
        file = server.folder / "old.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(0, run("import", file, "--ini", server.ini)[0])
        return self.enterContext(server)

    def test_it_is_said_that_its_sender_is_not_known(self):
        kim = self.signed_in("Kim").wait_for("long ago")
        choose_in(kim, kim.page.locator(".message .more"), "Who sent it")
        line = "Sent by Ann, no id known, from an unknown address."
        expect(kim.page.locator("#notice-line")).to_have_text(line)
