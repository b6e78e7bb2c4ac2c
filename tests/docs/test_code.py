"""Every code block of the guides is put to use, and every command that a sentence names."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from tests.docs.pages import PAGES, ROOT, blocks, commands, with_pages
from tests.docs.shell import Shell, Step, steps
from tests.support.programs import needs

# What a reader has before the first line of a guide: applications by the names that they are given.
SITE = Path(__file__).parent / "site"
# What a block can be, and what is done with it.
KINDS = {
    "python": "executed in the order of the page, in one process; or a file for its commands",
    "mako": "a file that the page's commands use",
    "sh": "run in one shell from top to bottom, here",
    "ini": "read by PasteDeploy, and its options by us: test_settings",
    "nginx": "judged by nginx: test_settings",
    "systemd": "judged by systemd: test_settings",
    "yaml": "rules that Prometheus takes: test_alerts",
    "logrotate": "logrotate moves files by it: test_production",
    "toml": "read as a file of options: test_settings",
    "redis": "taken by Redis: test_settings",
    "http": "routed: test_settings",
    "log": "a line of the access log: test_settings",
    "rows": "a table, no code",
}
# What the reader of a page has running before its first line.
RUNNING = {
    "chat.md": "paster serve development.ini",
    "wire.md": "paster serve test.ini",
    "upgrading.md": "chatapp serve",
}
# Commands of sentences that tests elsewhere run, for they take long or change what they stand in.
ELSEWHERE = {
    "python -m benchmarks.keep": "tests/benchmarks/test_figures.py",
    "python -m benchmarks.attack": "tests/benchmarks/test_attack.py",
    "python -m benchmarks.crowds": "tests/benchmarks/test_crowds.py",
    "python -m benchmarks.dump": "tests/benchmarks/test_dump.py",
    "python -m benchmarks.echo": "tests/benchmarks/test_echo.py",
    "python -m benchmarks.echo --keep": "tests/benchmarks/test_echo.py",
    "python -m benchmarks.encounters": "tests/benchmarks/test_encounters.py",
    "python -m benchmarks.budget --keep": "tests/benchmarks/test_budget.py",
    "python -m benchmarks.instructions": "tests/benchmarks/test_instructions.py",
    "python -m pylons.fixes .": "tests/pylons/test_fixes.py",
    "gunicorn --paste production.ini": "tests/functional/test_mountings.py",
}


# Of the scheduler that a page has made.
_SHUTDOWN = ("if 'scheduler' in globals():", "    scheduler.shutdown()", "")

_PIP = re.compile(r"pip install ([^`\n]*)")


@with_pages
class PageTests(unittest.TestCase):
    def check_kinds(self, page):
        for block in blocks(page):
            self.assertIn(block.kind, KINDS, f"{block}: no test for such a block")

    def check_requirements(self, page):
        """What we do not need and a program of the page imports, the page says how to install."""
        commands = " ".join(_PIP.findall(page.read_text()))
        told = re.findall(r"'([A-Za-z0-9-]+)(?:\[\w+\])?[<>=]", commands)
        for block in blocks(page, "python"):
            if block.name:
                strangers = _distributions(block.text) - _OURS
                self.assertLessEqual(strangers, {name.lower() for name in told}, block)

    def check_background(self, page):
        """A reader may be there before the server listens: what waits for it would never end."""
        for block in blocks(page, "sh"):
            for step in steps(block):
                if step.command.startswith("curl ") and step.command.endswith("&"):
                    self.assertIn("--retry-connrefused", step.command, block)

    def check_python(self, page):
        """In a process of its own, for what others have left in this one may be seen in it."""
        program = [f"# {block}\n{block.text}" for block in blocks(page, "python") if not block.name]
        if not program:
            return
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write("\n".join([*program, *_SHUTDOWN]))
            file.flush()
            ended = subprocess.run(
                [sys.executable, file.name],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
            )
        self.assertEqual(0, ended.returncode, f"{page.name}\n{ended.stdout}")

    def check_commands(self, page):
        lines = lines_of(page)
        if lines:
            with Shell() as shell:
                self.furnish(shell, page)
                shell.run(lines)

    def check_elsewhere(self, page):
        for command in commands(page):
            if command in ELSEWHERE:
                test = ELSEWHERE[command]
                module = command.split()[2]
                self.assertIn(module, (ROOT / test).read_text(), f"{test} does not test {command}")

    def furnish(self, shell, page):
        """Give it what the reader has, and the files of the page."""
        shutil.copytree(SITE, shell.folder, dirs_exist_ok=True)
        for ini in ROOT.glob("*.ini"):
            shell.write(ini.name, ini.read_text())
        for block in blocks(page):
            if block.name:
                shell.write(block.name, block.text)


def _distributions(program):
    """Those that the modules come from which `program` imports."""
    names = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    known = packages_distributions()
    found = [known.get(name.partition(".")[0], []) for name in names]
    return {name.lower() for each in found for name in each}


def _with_requirements(*names):
    """`names`, and what they need without an extra."""
    needed = {line for name in names for line in requires(name) or () if "extra ==" not in line}
    return {re.split(r"[^\w.-]", line)[0].lower() for line in (*names, *needed)}


def lines_of(page):
    """All that a reader of `page` types."""
    lines = [step for block in blocks(page, "sh") for step in steps(block)]
    lines += [Step(command) for command in commands(page) if command not in ELSEWHERE]
    if lines and page.name in RUNNING:
        lines.insert(0, Step(RUNNING[page.name]))
    return lines


_OURS = _with_requirements("ChatApp", "cogen", "Pylons")

for _page in PAGES:
    _name = f"test_commands_of_{_page.stem.lower()}"
    for _program in set().union(*(step.programs for step in lines_of(_page))):
        setattr(PageTests, _name, needs(_program)(getattr(PageTests, _name)))
