"""Logging as a file sets it up, and the line for one that cannot."""

import json
import logging
import tempfile
import unittest
from pathlib import Path

from cogen.web.options import OptionError
from cogen.web.processes.logconfig import configure_logging, has_loggers, set_level

INI = """
[loggers]
keys = root, told
[handlers]
keys = file
[formatters]
keys = line
[logger_root]
level = WARNING
handlers =
[logger_told]
qualname = cogen.tests.told
level = INFO
handlers = file
[handler_file]
class = FileHandler
args = ('%(here)s/log',)
formatter = line
[formatter_line]
format = ini %(message)s
"""
FORMAT = {"format": "dict %(message)s"}
HANDLER = {"class": "logging.FileHandler", "formatter": "line"}
TOLD = {"level": "INFO", "handlers": ["file"]}


class LogConfigTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.told = logging.getLogger("cogen.tests.told")
        for logger in (self.told, logging.getLogger()):
            for name in ("handlers", "level", "propagate", "disabled"):
                self.addCleanup(setattr, logger, name, getattr(logger, name))
            logger.handlers = []
        self.addCleanup(self.close)

    def close(self):
        for handler in self.told.handlers:
            handler.close()

    def configure(self, name, text):
        path = self.folder / name
        path.write_text(text)
        configure_logging(str(path))

    def said(self):
        self.told.info("hello")
        return (self.folder / "log").read_text()

    def dictionary(self, **more):
        return {
            "version": 1,
            "formatters": {"line": FORMAT},
            "handlers": {"file": {**HANDLER, "filename": str(self.folder / "log")}},
            "loggers": {"cogen.tests.told": TOLD},
            **more,
        }

    def test_an_ini(self):
        self.configure("log.ini", INI)
        self.assertEqual("ini hello\n", self.said())

    def test_json(self):
        self.configure("log.json", json.dumps(self.dictionary()))
        self.assertEqual("dict hello\n", self.said())

    def test_toml(self):
        text = f"""
            version = 1
            formatters.line.format = "dict %(message)s"
            loggers."cogen.tests.told" = {{level = "INFO", handlers = ["file"]}}
            [handlers.file]
            class = "logging.FileHandler"
            formatter = "line"
            filename = "{self.folder}/log"
        """
        self.configure("log.toml", text)
        self.assertEqual("dict hello\n", self.said())

    def test_loggers_that_it_does_not_name_go_on(self):
        other = logging.getLogger("cogen.tests.other")
        self.configure("log.ini", INI)
        self.assertFalse(other.disabled)
        self.configure("log.json", json.dumps(self.dictionary()))
        self.assertFalse(other.disabled)

    def test_a_level_by_its_name(self):
        set_level("error")
        self.assertEqual(logging.ERROR, logging.getLogger().level)

    def test_what_is_wrong_is_one_line(self):
        broken = self.dictionary(loggers={"x": {"handlers": ["nobody"]}})
        for name, text, said in (
            ("log.ini", "[loggers]\nkeys = root\n", "formatters"),
            ("log.ini", "loggers", "no section headers"),
            ("log.json", "{", "JSONDecodeError"),
            ("log.json", "[]", "log.json: logging cannot be set up so: "),
            ("log.json", json.dumps(broken), "Unable to configure logger 'x'"),
            ("log.json", json.dumps(broken), "nobody"),
            ("log.toml", "version", "TOMLDecodeError"),
            ("log.ini", INI.replace("%(here)s", "%(here)s/no"), "/no/log: No such file"),
        ):
            with self.subTest(said), self.assertRaises(OptionError) as caught:
                self.configure(name, text)
            self.assertIn(said, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))
        with self.assertRaisesRegex(OptionError, "^/no: No such file"):
            configure_logging("/no")

    def test_whether_an_ini_has_loggers(self):
        path = self.folder / "a.ini"
        for text, has in ((INI, True), ("[app:main]\n", False), ("nothing", False)):
            path.write_text(text)
            self.assertEqual(has, has_loggers(str(path)))
