"""Which files are watched, and what counts as a change."""

import os
import queue
import sys
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

from benchmarks.harness.server import PATIENCE
from cogen.web.processes.changes import Changes


class ChangesTests(unittest.TestCase):
    def setUp(self):
        self.outside = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.folder = self.outside / "site"
        self.folder.mkdir()
        self.told = queue.Queue()

    def write(self, name, text="", folder=None):
        path = (folder or self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def watch(self, *files):
        changes = Changes([str(self.folder)], map(str, files), self.changed, pause=0.01)
        with self.assertNoLogs("cogen.web.processes.changes"):
            changes.start()
        self.addCleanup(changes.close)
        return changes

    def changed(self):
        self.told.put(None)

    def seen(self, act):
        """The log's line of the change that `act` makes."""
        with self.assertLogs("cogen.web.processes.changes", "INFO") as logs:
            act()
            self.told.get(timeout=PATIENCE)
        [record] = logs.records
        return record.getMessage()

    def test_what_changes_comes_or_goes(self):
        path = self.write("views.py", "one")
        changes = self.watch()
        self.assertIn("site/views.py changed", self.seen(lambda: path.write_text("two and more")))
        self.assertIn("pages/a.html changed", self.seen(lambda: self.write("pages/a.html")))
        self.assertIn("site/views.py changed", self.seen(path.unlink))
        changes.wait()

    def test_what_is_no_code_template_or_setting_is_not_watched(self):
        names = (
            "data.db", ".hidden/a.py", "__pycache__/a.py", "node_modules/a.html", "pages/a.mako.py",
            "environment/lib/a.py",
        )  # fmt: skip
        self.write("environment/pyvenv.cfg")
        for name in names:
            self.write(name)
        self.watch()
        for name in names:
            self.write(name, "changed")
        # Had one of these been seen, its name would be here, or there would be another line.
        self.assertRegex(self.seen(lambda: self.write("b.ini")), r"^\S*/b\.ini changed$")

    def test_files_that_are_named_are_watched_wherever_they_are(self):
        path = self.write("site.conf", "one", self.outside)
        self.watch(path)
        self.assertIn("site.conf changed", self.seen(lambda: path.write_text("two and more")))

    def test_modules_from_elsewhere_are_watched_once_they_are_loaded(self):
        path = self.write("elsewhere.py", "one", self.outside)
        module = types.ModuleType("elsewhere")
        module.__file__ = str(path)
        sys.modules["elsewhere"] = module
        self.addCleanup(sys.modules.pop, "elsewhere")
        self.watch()
        self.assertIn("elsewhere.py changed", self.seen(lambda: path.write_text("two and more")))

    def test_a_folder_with_much_in_it_is_told(self):
        with (
            mock.patch("cogen.web.processes.changes._LONG", 0.0),
            self.assertLogs("cogen.web.processes.changes", "WARNING") as logs,
        ):
            changes = Changes([str(self.folder)], [], self.changed, pause=0.01)
            changes.start()
            changes.close()
        self.assertIn(f"below {self.folder} takes ", logs.records[0].getMessage())

    def test_one_that_is_replaced_has_changed(self):
        path = self.write("views.py", "one")
        self.watch()
        new = self.write("new", "two and more")
        self.assertIn("views.py changed", self.seen(lambda: os.replace(new, path)))
