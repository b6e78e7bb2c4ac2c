"""With COGEN_COMPILE=1 what the tests run, and what the servers they start run, is compiled cogen;
without it is Python: no run of one passes for a run of the other."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

from benchmarks.harness.commands import CommandServer
from cogen.core import schedulers
from cogen.web.connections import connection

ROOT = Path(__file__).parents[2]
COMPILED = os.environ.get("COGEN_COMPILE") == "1"
SUFFIX = ".so" if COMPILED else ".py"
BUILD = "compiled" if COMPILED else "not compiled"
TELL = """
import cogen.core.schedulers, cogen.web.connections.connection

def tell(environ, start_response):
    start_response('200 OK', [])
    modules = cogen.core.schedulers, cogen.web.connections.connection
    return [f"{module.__file__}\\n".encode() for module in modules]
"""


class CompiledTests(unittest.TestCase):
    def holds(self, *files):
        for file in files:
            self.assertTrue(str(file).startswith(f"{ROOT}/cogen/"), file)
            self.assertEqual(SUFFIX, Path(str(file)).suffix, file)

    def test_of_what_is_tested(self):
        self.holds(schedulers.__file__, connection.__file__)

    def test_of_a_server_that_is_tested(self):
        server = CommandServer("app:tell")
        server.write("one", TELL)
        with server, server.connect() as client:
            self.holds(*client.get().body.decode().split())
            self.assertRegex(server.log, rf"serving on http://\S+ \({BUILD}\)\n")

    def test_of_what_the_programs_say_of_their_versions(self):
        bin = Path(sys.executable).parent
        for program, line in (
            ("cogen-serve", rf"cogen/\S+, {BUILD}"),
            ("chatapp", rf"chatapp \S+, {BUILD}; cogen \S+, {BUILD}"),
        ):
            said = subprocess.check_output([bin / program, "--version"], text=True, timeout=30)
            self.assertRegex(said, f"^{line}\n$")
