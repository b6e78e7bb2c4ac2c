"""A module that is missing is one line that says what to install."""

import re
import subprocess
import sys
import unittest
from pathlib import Path

from tests.docs.pages import ROOT
from tests.docs.shell import required


def without(module, program):
    """The status of the Python `program` where there is no `module`, and what it said."""
    # None there is what the import system takes for a module that cannot be found.
    code = f"import sys; sys.modules[{module!r}] = None; {program}"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return ran.returncode, ran.stderr


class MissingTests(unittest.TestCase):
    def test_one_of_the_program_is_named_with_what_to_install(self):
        program = "from chatapp.command.main import main; main(['config'])"
        self.assertEqual((0, ""), without("no_such_module", program))
        for module, remedy in (
            ("orjson", "pip install 'orjson"),
            ("beaker", "pip install 'Beaker"),
            ("httptools", "pip install 'httptools"),
            ("prometheus_client", "pip install 'prometheus-client"),
            ("paste", "pip install 'PasteDeploy"),
            ("cogen", "pip install *.whl"),
        ):
            with self.subTest(module):
                status, said = without(module, program)
                self.assertEqual((1, 1), (status, said.count("\n")), said)
                line = rf"^chatapp: the module {module}[\w.]* is not installed: .*"
                self.assertRegex(said, line + re.escape(remedy))

    def test_one_of_its_own_is_a_defect_and_no_line(self):
        program = "from chatapp.command.main import main; main(['config'])"
        _, said = without("chatapp.command.copies", program)
        self.assertIn("Traceback", said)

    def test_that_of_the_client_is_named_with_what_to_install(self):
        for module in ("aiohttp", "yarl"):
            _, said = without(module, "import chatapp.client")
            line = "chatapp.bots needs aiohttp: pip install 'aiohttp>=3.13,<4'"
            self.assertEqual(f"ModuleNotFoundError: {line}", said.splitlines()[-1])

    def test_what_the_code_says_to_install_is_what_the_distributions_ask_for(self):
        for package in ("chatapp", "cogen", "pylons"):
            for file in Path(ROOT, package).rglob("*.py"):
                for named in re.findall(r"pip install '([^'{]+)'", file.read_text()):
                    self.assertIn(named, required(), file)
