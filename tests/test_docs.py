"""The examples in docs/ run, and its tables are those of the code."""

import dataclasses
import fnmatch
import re
import subprocess
import tempfile
import unittest

from chatapp.lib.options import ChatOptions
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
    def test_every_option_of_the_chat_is_in_its_table(self):
        rows = [
            f"| `{field.name}` | `{field.default}` | {field.metadata['doc']} |"
            for field in dataclasses.fields(ChatOptions)
        ]
        text = (DOCS / "chat.md").read_text()
        self.assertEqual(
            rows, [line for line in text.splitlines() if line.startswith("| `")][: len(rows)]
        )

    def test_links_lead_somewhere(self):
        for path in [*DOCS.glob("*.md")]:
            for link in re.findall(r"\]\(([\w./-]+\.(?:md|txt|svg))\)", path.read_text()):
                self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")
