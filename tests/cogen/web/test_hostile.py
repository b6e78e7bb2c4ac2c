"""Hostile clients against `cogen-serve` with its default options: it answers others, and all it
opened for them is closed again. `make hostile` measures how soon, and what memory that takes.
"""

import resource
import shutil
import tempfile
import unittest

from benchmarks.harness.certificates import certificate_files
from benchmarks.harness.hostile import RUNS, TLS_RUNS, HostileServer, idle
from benchmarks.harness.server import eventually

SECONDS = 0.2


class Hostile:
    """What the runs are put to: one server for all of them, as in life."""

    tls = False

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        options = {}
        if cls.tls:
            options["certificate"], options["key"] = certificate_files(cls.folder)
        cls.server = HostileServer(**options)
        cls.server.__enter__()
        # The first connection over TLS has the loop open a file, /dev/null, that it keeps.
        cls.open_files = cls.server.open_files() + cls.tls

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        shutil.rmtree(cls.folder)

    def check(self, run):
        going = run.against(self.server, SECONDS, max(2, run.count // 10))
        next(going)
        self.server.answers(self.tls)
        next(going, None)
        self.server.answers(self.tls)
        eventually(self.server.open_files, self.open_files)
        self.assertNotIn("Traceback", self.server.log)


def _with_runs(case):
    """Give `case` a test method for each run."""
    for run in case.runs:

        def method(self, run=run):
            self.check(run)

        method.__name__ = f"test_{run.name}"
        setattr(case, method.__name__, method)
    return case


class FilesTest(unittest.TestCase):
    def test_the_limit_of_open_files_is_raised_for_the_connections(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        server = HostileServer()
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, before[1]))
        try:
            server.__enter__()
            self.addCleanup(server.__exit__)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        crowd = idle.against(server, SECONDS, 300)
        next(crowd)
        server.answers()
        next(crowd, None)


@_with_runs
class HostileTest(Hostile, unittest.TestCase):
    runs = RUNS


@_with_runs
class HostileToTLSTest(Hostile, unittest.TestCase):
    runs = TLS_RUNS
    tls = True
