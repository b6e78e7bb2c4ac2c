"""Where log lines go by default, and log files that are moved away."""

import io
import logging
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from cogen.web.observers.access import ACCESS_LOGGER
from cogen.web.processes.logs import (
    log_accesses,
    log_lines,
    log_lines_unless_configured,
    reopen_log_files,
)


class LoggingCase(unittest.TestCase):
    """The root logger and the access log have no handlers, and get back those of the tests."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.root = logging.getLogger()
        self.access = logging.getLogger(ACCESS_LOGGER)
        for logger in (self.root, self.access):
            for name in ("handlers", "level", "propagate"):
                self.addCleanup(setattr, logger, name, getattr(logger, name))
            logger.handlers = []
        self.root.setLevel(logging.WARNING)
        self.addCleanup(self.close)
        self.error = self.enterContext(mock.patch.object(sys, "stderr", io.StringIO()))

    def close(self):
        for logger in (self.root, self.access):
            for handler in logger.handlers:
                handler.close()

    def say(self, text):
        logging.getLogger("cogen.web.serving").info(text)


class DefaultTests(LoggingCase):
    def test_lines_go_to_standard_error(self):
        log_lines_unless_configured(several=False, ini_has_loggers=False)
        self.say("serving")
        self.access.info("GET /")
        said = self.error.getvalue().splitlines()
        self.assertRegex(said[0], r"^\d{4}-.* INFO    cogen\.web\.serving: serving$")
        self.assertIn("cogen.access: GET /", said[1])

    def test_they_name_the_process_where_there_are_several(self):
        log_lines_unless_configured(several=True, ini_has_loggers=False)
        self.say("serving")
        self.assertRegex(self.error.getvalue(), r" INFO    \d+ cogen\.web\.serving: serving\n$")

    def test_what_the_ini_says_or_the_application_does_stays(self):
        log_lines_unless_configured(several=False, ini_has_loggers=True)
        self.assertEqual([], self.root.handlers)
        self.root.addHandler(logging.NullHandler())
        log_lines_unless_configured(several=False, ini_has_loggers=False)
        self.say("serving")
        self.assertEqual("", self.error.getvalue())

    def test_the_handler_of_paster_with_a_log_file_is_no_configuration(self):
        with mock.patch.object(sys, "stdout", sys.stderr):
            logging.basicConfig(stream=sys.stderr)
            log_lines_unless_configured(several=False, ini_has_loggers=False)
        self.say("serving")
        self.assertIn("serving", self.error.getvalue())


class FileTests(LoggingCase):
    def test_a_file_that_was_moved_away_is_let_go_of_when_told(self):
        path, rotated = self.folder / "log", self.folder / "log.1"
        log_lines(False, str(path))
        log_accesses(str(self.folder / "access"))
        self.say("before")
        path.rename(rotated)
        stream = self.root.handlers[0].stream
        reopen_log_files()
        self.assertTrue(stream.closed)
        self.assertEqual("", path.read_text())
        self.say("after")
        self.assertIn("before", rotated.read_text())
        self.assertIn("after", path.read_text())

    def test_access_lines_go_to_their_own_file_as_they_are(self):
        path = self.folder / "access"
        log_lines(True)
        log_accesses(str(path))
        self.access.info("GET /")
        self.assertEqual("GET /\n", path.read_text())
        self.assertEqual("", self.error.getvalue())
