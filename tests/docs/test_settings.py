"""Settings that the guides show are those that the programs take."""

import contextlib
import re
import subprocess
import sys
import tempfile
import unittest
from configparser import RawConfigParser
from pathlib import Path

from paste.deploy import loadwsgi

from benchmarks.harness.chat import free_port
from chatapp.command import verbs as chatapp_command
from chatapp.config.routing import make_map
from chatapp.options import ChatOptions
from cogen.web import command as cogen_command
from cogen.web.observers.access import AccessLog
from cogen.web.options import Options, parse_options
from cogen.web.settings.sources import from_file
from tests.docs.pages import ROOT, blocks, with_pages
from tests.docs.shell import BIN
from tests.support.nginx import configuration
from tests.support.programs import needs

_CHAT = "chat."
# PasteDeploy's kinds of sections.
_OBJECTS = {
    "server": loadwsgi.SERVER,
    "app": loadwsgi.APP,
    "application": loadwsgi.APP,
    "composite": loadwsgi.APP,
    "pipeline": loadwsgi.APP,
    "filter": loadwsgi.FILTER,
}
_LOCATIONS = """\
{blocks}
server {{
    listen unix:{folder}/socket;
    {locations}
}}
"""


class FolderCase(unittest.TestCase):
    """`self.folder` is one of its own for each test."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="docs-")))

    def write(self, block, text=None):
        path = self.folder / (block.name or f"{block.page.stem}-{block.line}")
        path.write_text(block.text if text is None else text)
        return path

    def judged(self, *command):
        """`command` finds nothing wrong, and says nothing of a warning."""
        done = subprocess.run(
            [str(word) for word in command], cwd=self.folder, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        self.assertEqual(0, done.returncode, said)
        self.assertNotRegex(said, "(?i)warn|unknown|ignor")


@with_pages
class IniTests(FolderCase):
    def check_ini(self, page):
        for block in blocks(page, "ini"):
            path = self.write(block)
            parser = RawConfigParser()
            parser.read(path)
            sections = [section.partition(":") for section in parser.sections()]
            for kind, _, name in sections:
                if parser.has_option(":".join(filter(None, (kind, name))), "paste.app_factory"):
                    # Its module is a file of the page, which is there when its commands run.
                    self.assertTrue(any(block.name in sh.text for sh in blocks(page, "sh")))
                elif kind in _OBJECTS:
                    self.load(kind, f"config:{path}", name or "main")
            if parser.has_section("loggers"):
                self.log(path)
            rest = {kind for kind, _, _ in sections} - set(_OBJECTS)
            known = ("loggers", "handlers", "formatters", "logger_", "handler_", "formatter_")
            self.assertEqual([], [kind for kind in rest if not kind.startswith(known)], block)

    def load(self, kind, uri, name):
        context = loadwsgi.loadcontext(_OBJECTS[kind], uri, name=name)
        if kind == "server":
            context.create()  # reads the options; nothing is served yet
        settings = context.local_conf
        own = {key.removeprefix(_CHAT): settings[key] for key in settings if key.startswith(_CHAT)}
        parse_options(own, ChatOptions)

    def log(self, path):
        """Python's logging takes it, with what is in /var in the folder instead."""
        (self.folder / "var/log/chat").mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text().replace("/var/", f"{self.folder}/var/"))
        program = "import logging.config, sys; logging.config.fileConfig(sys.argv[1])"
        self.judged(sys.executable, "-c", program, path)


@with_pages
class TomlTests(FolderCase):
    def check_options(self, page):
        for block in blocks(page, "toml"):
            self.assertTrue(from_file(str(self.write(block))), block)


def _parsers():
    """Those of our programs and of their verbs."""
    for program in (cogen_command, chatapp_command):
        parser = program._parser()
        yield parser
        for action in parser._actions:
            yield from (action.choices or {}).values() if not action.option_strings else ()


@with_pages
class SentenceTests(unittest.TestCase):
    """Settings that stand in a sentence: `name = value` of an ini, `--name` of a program."""

    # Of PasteDeploy, of Beaker, and of programs that the page names.
    others = ("use", "debug", "session.secure")

    def check_options(self, page):
        for name, value in re.findall(r"`([a-z_.]+) = ([^`]+)`", page.read_text()):
            if name.startswith(_CHAT):
                parse_options({name.removeprefix(_CHAT): value}, ChatOptions)
            elif name not in self.others:
                parse_options({name: value}, Options)

    def check_flags(self, page):
        if page.name == "moving.md":
            return  # those of other servers: test_moving
        known = {action for parser in _parsers() for action in parser._option_string_actions}
        for flag in re.findall(r"`(--[a-z-]+)", page.read_text()):
            self.assertIn(flag, known | {"--no-interactive", "--out", "--with-pylons"})


@needs("nginx")
class NginxTests(FolderCase):
    def test_blocks_of_a_guide_make_a_configuration(self):
        for page in (ROOT / "docs").glob("*.md"):
            texts = [block.text for block in blocks(page, "nginx")]
            locations = [text for text in texts if text.startswith("location ")]
            others = [text for text in texts if text not in locations]
            path = self.folder / "nginx.conf"
            http = _LOCATIONS.format(
                folder=self.folder, blocks="".join(others), locations="".join(locations)
            )
            http = re.sub(r"listen \d+", lambda _: f"listen {free_port()}", http)
            path.write_text(configuration(self.folder, http))
            self.judged("nginx", "-t", "-q", "-e", "stderr", "-p", self.folder, "-c", path)


@needs("systemd-analyze")
class SystemdTests(FolderCase):
    def test_units_of_a_guide_are_right(self):
        for page in (ROOT / "docs").glob("*.md"):
            # The programs of the guide's environment are those of this one.
            units = [
                self.write(block, re.sub(r"=/srv/\S*/bin/", f"={BIN}/", block.text))
                for block in blocks(page, "systemd")
            ]
            if units:
                self.judged("systemd-analyze", "verify", "--man=no", *units)

    def test_the_service_of_the_chat_is_exposed_to_little(self):
        """Below 2 of 10, in tenths."""
        for block in blocks(ROOT / "docs/production.md", "systemd"):
            if "[Service]" in block.text:
                self.judged(
                    "systemd-analyze", "security", "--offline=true", "--threshold=19",
                    "--no-pager", self.write(block),
                )  # fmt: skip


@needs("redis-server")
class RedisTests(FolderCase):
    def test_redis_takes_what_a_guide_says(self):
        for page in (ROOT / "docs").glob("*.md"):
            for block in blocks(page, "redis"):
                self.start(self.write(block))

    def start(self, path):
        socket = self.folder / "socket"
        command = ["redis-server", path, "--port", "0", "--unixsocket", socket]
        with subprocess.Popen(
            [str(word) for word in command], cwd=self.folder, text=True, stdout=subprocess.PIPE
        ) as process:
            said = ""
            with contextlib.suppress(StopIteration):
                while "eady to accept connections" not in said:
                    said += next(process.stdout)
            self.assertIsNone(process.poll(), said)
            process.terminate()


class AccessLogTests(unittest.TestCase):
    def test_lines_are_as_they_are_written(self):
        read = r'(\S+) - - \[.*?\] "(\S+) (\S+) (\S+)" (\d+) (\d+) "-" "(.*?)" ([0-9.]+) \d+'
        for page in (ROOT / "docs").glob("*.md"):
            for line in [line for block in blocks(page, "log") for line in block.text.splitlines()]:
                address, method, target, protocol, status, sent, agent, seconds = re.fullmatch(
                    read, line
                ).groups()
                environ = {
                    "REMOTE_ADDR": address, "REQUEST_METHOD": method, "REQUEST_URI": target,
                    "SERVER_PROTOCOL": protocol, "HTTP_USER_AGENT": agent,
                }  # fmt: skip
                with self.assertLogs("cogen.access") as logs:
                    log = AccessLog("combined", several=True)
                    log._write(environ, int(status), int(sent), float(seconds))
                [written] = [record.getMessage() for record in logs.records]
                self.assertEqual(*(re.sub(r"\[.*\]|\d+$", "", each) for each in (line, written)))


class RouteTests(unittest.TestCase):
    def test_methods_and_paths_of_the_wire_are_routed(self):
        folder = str(ROOT / "chatapp/controllers")
        mapper = make_map({"pylons.paths": {"controllers": folder}})
        lines = [
            line
            for page in (ROOT / "docs").glob("*.md")
            for block in blocks(page, "http")
            for line in block.text.splitlines()
        ]
        self.assertGreaterEqual(len(lines), 2)
        for line in lines:
            method, pattern = line.split()
            plain = re.sub(r"\[[?&].*", "", pattern)
            shortest = re.sub(r"\[.*\]", "", plain)
            longest = re.sub(r"[\[\]]|\.\.\.", "", plain)
            for path in (shortest, longest):
                mapper.environ = {"REQUEST_METHOD": method}
                self.assertIsNotNone(mapper.match(path), f"{method} {path}")
