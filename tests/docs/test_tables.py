"""The tables of the guides are those of the code, and what they name is there."""

import dataclasses
import inspect
import pkgutil
import re
import unittest

from chatapp.options import ChatOptions
from cogen.core.coroutines import coro
from cogen.core.events import AddCoro, Signal
from cogen.core.locks import Semaphore
from cogen.core.schedulers import SLICE, Scheduler
from cogen.web.options import Options
from cogen.web.settings.running import OWN
from tests.docs.pages import DOCS, README, ROOT

# Modules of cogen.core that others of it are made of, and those of cogen 0.2 that say what is gone.
_INNER = {
    "alike", "away", "descriptors", "gone", "greenlets", "interpreted", "leases", "listening",
    "mailboxes", "parts", "posting", "proactors", "running", "scopes", "shown", "slips", "stacks",
    "streamops", "timers", "tracing", "util",
}  # fmt: skip


class TableTests(unittest.TestCase):
    def check(self, page, table):
        rows = [_row(field) for field in dataclasses.fields(table)]
        lines = (DOCS / page).read_text().splitlines()
        self.assertEqual(rows, [line for line in lines if line.startswith("| `")][: len(rows)])

    def test_every_option_of_the_chat_is_in_its_table(self):
        self.check("chat.md", ChatOptions)

    def test_every_option_of_the_server_is_in_its_table(self):
        self.check("settings.md", Options)

    def test_every_option_of_the_command_is_in_a_table_too(self):
        page = (DOCS / "settings.md").read_text()
        self.assertIn("\n".join(["|---|---|---|", *map(_row, OWN), ""]), page)


class ContentsTests(unittest.TestCase):
    def test_the_index_has_every_guide(self):
        index = (DOCS / "index.md").read_text()
        for path in DOCS.glob("*.md"):
            if path.name != "index.md":
                self.assertIn(f"({path.name})", index)

    def test_the_site_has_every_guide(self):
        tree = (DOCS / "site.rst").read_text().split(".. toctree::")[1].split()
        for path in DOCS.glob("*.md"):
            self.assertIn(path.stem, tree)

    def test_the_reference_has_every_module_of_the_core_that_programs_import(self):
        told = re.findall(r"automodule:: cogen\.core\.(\w+)", (DOCS / "api.rst").read_text())
        modules = {path.stem for path in (ROOT / "cogen/core").glob("*.py")} - {"__init__"}
        self.assertEqual(modules - _INNER, set(told))
        self.assertLessEqual(_INNER, modules)

    def test_what_the_readme_names_is_there(self):
        readme = README.read_text()
        rows = re.findall(r"^  ([\w./]+)   *\w", readme[readme.index("Where things are") :], re.M)
        self.assertGreater(len(rows), 8)
        for row in rows:
            self.assertTrue((ROOT / row).exists(), row)

    def test_every_module_of_the_page_is_in_its_table(self):
        patterns = re.findall(r"`([\w*]+\.js)`", (DOCS / "page.md").read_text())
        for path in (ROOT / "chatapp/public").glob("*.js"):
            self.assertTrue(any(path.match(pattern) for pattern in patterns), path.name)

    def test_links_lead_somewhere(self):
        for path in [*DOCS.glob("*.md")]:
            for link, _, anchor in _LINK.findall(path.read_text()):
                other = path.parent / link
                self.assertTrue(other.exists(), f"{path.name}: {link}")
                if anchor:
                    titles = re.findall("^#+ (.*)$", other.read_text(), re.MULTILINE)
                    anchors = [title.lower().replace(" ", "-") for title in titles]
                    self.assertIn(anchor, anchors, f"{path.name}: {link}")

    def test_the_readme_names_guides_that_are_there(self):
        for name in re.findall(r"docs/\w+\.md", README.read_text()):
            self.assertTrue((ROOT / name).exists(), name)


class PylonsTests(unittest.TestCase):
    def test_what_is_there_is_there(self):
        page = (DOCS / "pylons.md").read_text()
        table = page[page.index("## What is there") : page.index("## An application")]
        rows = re.findall(r"^\| (`.*) \| (.*) \|$", table, re.MULTILINE)
        self.assertGreater(len(rows), 8)
        for names, what in rows:
            for name in re.findall(r"`([\w.]+)`", names):
                found = pkgutil.resolve_name(
                    name if name.startswith("pylons.") else f"pylons.{name}"
                )
            # A row of a module names all that it has.
            if inspect.ismodule(found) and found.__name__ not in (
                "pylons.commands",
                "pylons.decorators",
                "pylons.test",
            ):
                told = re.findall(r"`(\w+)`", what)
                self.assertLessEqual(set(told), set(vars(found)), found)


class CoroutineTests(unittest.TestCase):
    """What docs/coroutines.md says of errors and numbers."""

    page = (DOCS / "coroutines.md").read_text()

    def died(self, function):
        """What the log says of a coroutine that ran `function`."""
        scheduler = Scheduler()
        with self.assertLogs("cogen.core") as logs:
            scheduler.add(function)
            scheduler.run()
        scheduler.shutdown()
        return logs.output[0]

    def test_slips_say_what_they_are(self):
        slips = self.page[self.page.index("## Slips") :]
        rows = re.findall(r"^\| \w.*? \| `(.*?)`", slips, re.MULTILINE)
        for line, function in zip(rows, _SLIPS, strict=True):
            said = self.died(function)
            self.assertIn(line.replace("cook", "_cook"), said)
            self.assertIn(f"coroutine {function.__name__} died of ", said)

    def test_a_generator_is_told_of_its_decorator(self):
        def undecorated():
            yield (each for each in ())

        self.assertIn("decorate its function with @coro", self.died(undecorated))

    def test_a_turn_has_as_many_steps(self):
        self.assertIn(f"at most {SLICE} steps", " ".join(self.page.split()))

    def test_what_is_counted(self):
        said = "counts coroutines, ready waiters, deadlines and signal waiters"
        self.assertIn(said, " ".join(self.page.split()))
        counts = {"coroutines", "ready", "deadlines", "signal_waiters"}
        scheduler = Scheduler()
        self.assertEqual(counts, set(scheduler.statistics()))
        scheduler.shutdown()


@coro
def _cook():
    yield


def _no_operation():
    yield "text"


def _a_call():
    yield AddCoro(_cook())


def _twice():
    once = _cook()
    yield once
    yield once


def _no_permit():
    with Semaphore().acquire():
        yield


def _no_signal():
    yield Signal("name", recipients=-1)


def _a_run():
    other = Scheduler()
    try:
        other.run()
    finally:
        other.loop.close()
    yield


_SLIPS = (_no_operation, _a_call, _twice, _no_permit, _no_signal, _a_run)
_LINK = re.compile(r"\]\(([\w./-]+\.(?:md|txt|svg))(#([\w-]+))?\)")


def _row(field):
    default = str(field.default)
    if isinstance(field.default, bool):
        default = default.lower()
    return (
        f"| `{field.name}` | {f'`{default}`' if default else 'empty'} | {field.metadata['doc']} |"
    )
