"""The benchmark of echo servers on our own: few connections, nothing about speed."""

import contextlib
import unittest

from benchmarks.echo.__main__ import markdown
from benchmarks.echo.load import in_turns
from benchmarks.echo.peers import PEERS
from benchmarks.keep import DOCS, between
from benchmarks.machine import described
from benchmarks.servers import Server, cores

WHERE, _ = cores()


class EchoTests(unittest.TestCase):
    def test_each_peer_that_is_here_echoes_and_is_told(self):
        said = []
        with contextlib.ExitStack() as stack:
            servers = [
                stack.enter_context(Server(peer, WHERE)) for peer in PEERS if not peer.missing()
            ]
            found = list(in_turns(servers, 20, 4, 1, 0.05, said.append))
        self.assertLess(2, len(found))
        for echoed in found:
            self.assertEqual(1, len(echoed.turns))
            self.assertGreater(min(echoed.turns[0]), 0)
        text = markdown(described(()), found, 20, 4, 0.5)
        self.assertIn("| cogen |", text)
        self.assertIn("| 20 silent connections, then 4 that ask |", text)
        page = (DOCS / "performance.md").read_text()  # python -m benchmarks.echo --keep
        self.assertIn(text, between(page, "echo", text))
