"""The chat for telnet."""

from tests.examples.support import ExampleCase


class TelnetChatTests(ExampleCase):
    def enter(self, name):
        client = self.connect()
        lines = client.makefile("rb")
        self.addCleanup(lines.close)
        self.assertEqual(b"Your name? ", client.recv(11))
        client.sendall(name + b"\r\n")
        self.assertEqual(b"* %s is here\n" % name, lines.readline())
        return client, lines

    def test_what_one_writes_all_read(self):
        program = self.start("telnet_chat.py")
        alice, alices = self.enter(b"alice")
        bob, bobs = self.enter(b"bob")
        self.assertEqual(b"* bob is here\n", alices.readline())
        alice.sendall(b"hello\r\n")
        for lines in (alices, bobs):
            self.assertEqual(b"alice: hello\n", lines.readline())
        bobs.close()
        bob.close()
        self.assertEqual(b"* bob has left\n", alices.readline())
        seconds, output = self.stop(program)
        self.assertLess(seconds, 1, output)
        self.assertEqual(b"left open: []", output.strip().splitlines()[-1].encode())
