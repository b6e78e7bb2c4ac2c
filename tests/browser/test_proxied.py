"""The page through nginx, as docs/deployment.md has it."""

import os
import tempfile

from benchmarks.harness.chat import ChatServer
from tests.browser.chromium import PageTestCase, expect
from tests.support.nginx import Nginx
from tests.support.programs import needs


@needs("nginx")
class NginxTests(PageTestCase):
    def serve(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        path = f"{folder}/chat.sock"
        options = {"unix_socket": path, "unix_mode": "666", "trusted_proxies": "unix"}
        server = self.enterContext(ChatServer(server=options))
        # On another port than 80, so that Host and Origin have it.
        server.url = self.enterContext(Nginx(path)).url
        return server

    def test_two_users_talk_by_polls_that_are_held(self):
        ann, bob = self.tab().enter("ann"), self.tab().enter("bob")
        expect(ann.people()).to_have_text(["ann", "bob"])
        for number in range(3):
            ann.send(f"{number} from ann")
            bob.wait_for(f"{number} from ann").send(f"{number} from bob")
            ann.wait_for(f"{number} from bob")
        bob.wait_for("2 from bob")
        self.assertEqual(6, len(ann.transcript()))
        self.assertEqual(ann.transcript(), bob.transcript())
        begun = []
        ann.page.on("request", lambda request: begun.append(request.url))
        ann.page.wait_for_timeout(2000)
        self.assertLessEqual(len(begun), 1, begun)
        self.assertEqual((1, 1), (ann.polls, bob.polls))
        self.assertEqual(1, ann.page.locator("html[data-link=connected]").count())
