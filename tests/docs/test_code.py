"""Every code block of the guides is put to use, and every command that a sentence names."""

from __future__ import annotations

import shutil
import unittest
from pathlib import Path

from tests.docs.pages import ROOT, blocks, commands, with_pages
from tests.docs.shell import Shell, Step, steps

# What a reader has before the first line of a guide: applications by the names that they are given.
SITE = Path(__file__).parent / "site"
# What a block can be, and what is done with it.
KINDS = {
    "python": "executed in the order of the page, here; or a file that the page's commands use",
    "mako": "a file that the page's commands use",
    "sh": "run in one shell from top to bottom, here",
    "ini": "read by PasteDeploy, and its options by us: test_settings",
    "nginx": "judged by nginx: test_settings",
    "systemd": "judged by systemd: test_settings",
    "redis": "taken by Redis: test_settings",
    "http": "routed: test_settings",
    "log": "a line of the access log: test_settings",
    "rows": "a table, no code",
}
# What the reader of a page has running before its first line.
RUNNING = {"chat.md": "paster serve development.ini", "wire.md": "paster serve test.ini"}
# Commands of sentences that tests elsewhere run, for they take long or change what they stand in.
ELSEWHERE = {
    "python -m benchmarks.keep": "tests/benchmarks/test_figures.py",
    "python -m benchmarks.instructions": "tests/benchmarks/test_instructions.py",
}


@with_pages
class PageTests(unittest.TestCase):
    def check_kinds(self, page: Path) -> None:
        for block in blocks(page):
            self.assertIn(block.kind, KINDS, f"{block}: no test for such a block")

    def check_python(self, page: Path) -> None:
        names: dict[str, object] = {}
        for block in blocks(page, "python"):
            if not block.name:
                exec(compile(block.text, str(block), "exec"), names)
        if "scheduler" in names:
            names["scheduler"].shutdown()

    def check_commands(self, page: Path) -> None:
        lines = [step for block in blocks(page, "sh") for step in steps(block)]
        lines += [Step(command) for command in commands(page) if not self.elsewhere(command)]
        if lines and page.name in RUNNING:
            lines.insert(0, Step(RUNNING[page.name]))
        if lines:
            with Shell() as shell:
                self.furnish(shell, page)
                shell.run(lines)

    def furnish(self, shell: Shell, page: Path) -> None:
        """Give it what the reader has, and the files of the page."""
        shutil.copytree(SITE, shell.folder, dirs_exist_ok=True)
        for ini in ROOT.glob("*.ini"):
            shell.write(ini.name, ini.read_text())
        for block in blocks(page):
            if block.name:
                shell.write(block.name, block.text)

    def elsewhere(self, command: str) -> bool:
        test = ELSEWHERE.get(command)
        if test is not None:
            module = command.split()[2]
            self.assertIn(module, (ROOT / test).read_text(), f"{test} does not test {command}")
        return test is not None
