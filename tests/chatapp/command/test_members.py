"""`chatapp invite`: a link for each of many, or none."""

import unittest

from benchmarks.harness.chat import ChatServer
from tests.chatapp.command.program import run


class InviteTests(unittest.TestCase):
    def setUp(self):
        app = {"chat.identity": "members", "chat.url": "https://chat.example"}
        self.ini = self.enterContext(ChatServer(app=app)).ini

    def test_there_is_a_link_for_each_of_a_team(self):
        status, links, said = run("invite", "--count", 18, "--ini", self.ini)
        self.assertEqual((0, ""), (status, said))
        self.assertEqual(18, len(set(links.splitlines())))
        for link in links.splitlines():
            self.assertRegex(link, r"^https://chat\.example/device/[\w-]+$")

    def test_none_or_too_many_is_told_in_a_line(self):
        for count in (0, -1, 1001):
            status, links, said = run("invite", f"--count={count}", "--ini", self.ini)
            told = (1, "", "chatapp: --count: 1 to 1000 links\n")
            self.assertEqual(told, (status, links, said))

    def test_one_member_has_one_link(self):
        status, links, said = run("invite", "--as", "Ann", "--count", 2, "--ini", self.ini)
        self.assertEqual(2, status)
        self.assertEqual("", links)
        self.assertIn("not allowed with", said)
