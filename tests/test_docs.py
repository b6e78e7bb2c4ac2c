"""The examples in docs/ run, and its tables are those of the code."""

import dataclasses
import fnmatch
import re
import subprocess
import tempfile
import textwrap
import unittest

from routes import Mapper

from chatapp.lib.options import ChatOptions
from cogen.web.options import Options
from pylons.wsgiapp import PylonsApp
from tests.pylons.support import make_config
from tests.support.memory import Browser, MemoryServer
from tests.support.server import ROOT, ChatServer

DOCS = ROOT / "docs"
README = (ROOT / "README.txt").read_text()


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


class ReadmeTests(unittest.TestCase):
    def test_the_action_that_waits_does(self):
        code = re.search(r"^  from pylons.*?(?=^\S)", README, re.DOTALL | re.MULTILINE)[0]
        names = {}
        exec(compile(textwrap.dedent(code), "README.txt", "exec"), names)
        config = make_config()
        config["routes.map"] = Mapper(explicit=True)
        config["routes.map"].connect("/news/{action}", controller="news")
        app = PylonsApp(config)
        app.find_controller = lambda name: names[f"{name.title()}Controller"]
        server = MemoryServer(app)
        self.addCleanup(server.close)
        held = Browser(server).begin("GET", "/news/next")
        self.assertFalse(held.done, held.body)
        told = Browser(server).ask("POST", "/news/publish", b"hello")
        self.assertEqual(b"told 1\n", told.body)
        self.assertEqual(b"(b'hello',)\n", held.look().body)


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


class ContentsTests(unittest.TestCase):
    def test_the_index_has_every_guide(self):
        index = (DOCS / "index.md").read_text()
        for path in DOCS.glob("*.md"):
            if path.name != "index.md":
                self.assertIn(f"({path.name})", index)

    def test_what_the_readme_names_is_there(self):
        rows = re.findall(r"^  ([\w./]+)   *\w", README[README.index("Where things are") :], re.M)
        self.assertGreater(len(rows), 8)
        for row in rows:
            self.assertTrue((ROOT / row).exists(), row)

    def test_the_commands_of_the_guides_are_those_of_the_makefile(self):
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
        pages = [README, *(path.read_text() for path in DOCS.glob("*.md"))]
        named = {
            name for page in pages for name in re.findall(r"`make (\w+)|^  make (\w+)", page, re.M)
        }
        named = {name for pair in named for name in pair if name}
        self.assertLessEqual({"serve", "test", "check"}, named)
        self.assertLessEqual(named, set(targets))

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
