import os
import unittest
from pathlib import Path

from benchmarks.harness.chat import free_port
from benchmarks.servers import COMPILED, ROOT, Server
from benchmarks.targets import TARGETS


class PathTests(unittest.TestCase):
    def test_compiled_code_comes_first_but_for_targets_that_are_not_compiled(self):
        paths = {target.name: Server(target, {0})._path().split(os.pathsep) for target in TARGETS}
        self.assertEqual([str(COMPILED), str(ROOT)], paths["bare"])
        self.assertEqual([str(ROOT)], paths["bare-python"])
        pure = {name for name, path in paths.items() if str(COMPILED) not in path}
        self.assertEqual({"bare-python", "chat-python"}, pure)


class PortTests(unittest.TestCase):
    def test_a_free_port_is_none_that_the_kernel_gives_to_who_connects(self):
        given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        for _ in range(50):
            self.assertLess(free_port(), int(given[0]))
