"""The examples in docs/ run, and its tables are those of the code."""

import dataclasses
import fnmatch
import re
import subprocess
import tempfile
import unittest

from chatapp.lib.options import ChatOptions
from cogen.web.options import Options
from tests.support.server import ROOT, ChatServer

DOCS = ROOT / "docs"


def blocks(path, info):
    """The fenced blocks of `path` that are marked with `info`."""
    return re.findall(rf"^```{info}\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE)


class PythonTests(unittest.TestCase):
    def test_examples_run_in_the_order_of_their_page(self):
        ran = 0
        for path in sorted(DOCS.glob("*.md")):
            names = {}
            for code in blocks(path, "python run"):
                exec(compile(code, str(path), "exec"), names)
                ran += 1
            if "scheduler" in names:
                names["scheduler"].shutdown()
        self.assertGreaterEqual(ran, 3)


class CurlTests(unittest.TestCase):
    """Lines after `#>` are what the command prints; `*` stands for anything."""

    def test_the_lines_of_the_wire_do_what_they_say(self):
        with ChatServer() as server, tempfile.TemporaryDirectory() as folder:
            commands = 0
            for block in blocks(DOCS / "wire.md", "sh curl"):
                for command, expected in self.steps(block):
                    commands += 1
                    script = f"CHAT={server.url.rstrip('/')}\n{command}"
                    said = subprocess.run(
                        ["sh", "-eu", "-c", script], cwd=folder, capture_output=True, text=True,
                        timeout=30, check=True,
                    ).stdout.strip()  # fmt: skip
                    pattern = expected.replace("[", "[[]")
                    self.assertTrue(fnmatch.fnmatchcase(said, pattern), f"{command}\n{said}")
            self.assertGreater(commands, 10)

    def steps(self, block):
        command = ""
        for line in block.splitlines():
            if line.startswith("#> "):
                yield command, line.removeprefix("#> ")
                command = ""
            else:
                command += f"{line}\n"


class TableTests(unittest.TestCase):
    def check(self, page, table):
        rows = [_row(field) for field in dataclasses.fields(table)]
        lines = (DOCS / page).read_text().splitlines()
        self.assertEqual(rows, [line for line in lines if line.startswith("| `")][: len(rows)])

    def test_every_option_of_the_chat_is_in_its_table(self):
        self.check("chat.md", ChatOptions)

    def test_every_option_of_the_server_is_in_its_table(self):
        self.check("deployment.md", Options)

    def test_links_lead_somewhere(self):
        for path in [*DOCS.glob("*.md")]:
            for link in re.findall(r"\]\(([\w./-]+\.(?:md|txt|svg))\)", path.read_text()):
                self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")


def _row(field):
    default = str(field.default)
    if isinstance(field.default, bool):
        default = default.lower()
    return (
        f"| `{field.name}` | {f'`{default}`' if default else 'empty'} | {field.metadata['doc']} |"
    )
