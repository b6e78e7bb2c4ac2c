"""The ini that `chatapp config` prints is a whole one, and paster writes the same."""

import dataclasses
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

from benchmarks.harness.chat import BIN, ChatServer
from benchmarks.harness.server import eventually
from chatapp.command.config import configuration, settings_of
from chatapp.options import ChatOptions
from cogen.web.options import OptionError, Options, parse_options
from tests.chatapp.command.program import run


class ConfigTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        status, self.text, said = run("config")
        self.assertEqual((0, ""), (status, said))

    def paster(self, *arguments):
        subprocess.run(
            [sys.executable, "-W", "ignore", BIN / "paster", *arguments], cwd=self.folder,
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip

    def test_paster_serves_it(self):
        server = ChatServer()
        server.ini.write_text(self.text)
        server.arguments = [f"port={server.port}"]
        with server, urllib.request.urlopen(server.url) as page:
            self.assertIn(b"<title>Chat</title>", page.read())

    def test_it_needs_no_guide(self):
        for field in dataclasses.fields(ChatOptions):
            self.assertRegex(self.text, rf"(?m)^#?chat\.{field.name} = ")
        self.assertNotIn("docs/", self.text)

    def test_defaults_that_are_commented_out_are_the_defaults(self):
        away = {"chat.log", "chat.secret_file", "chat.login_url"}
        away |= {"chat.keepers", "chat.keeper_groups"}
        away |= {f"chat.{each}_header" for each in ("user", "name", "groups")}
        away |= {f"chat.token_{each}" for each in ("key", "public_key", "audience")}
        said = dict(re.findall(r"(?m)^#(chat\.\w+) = (.*)", self.text))
        given = {name: value for name, value in said.items() if name not in away}
        self.assertEqual(ChatOptions(), parse_options(given, ChatOptions, prefix="chat."))

    def test_limits_that_are_commented_out_are_the_defaults(self):
        said = dict(re.findall(r"(?m)^#(max_\w+|\w+_timeout) = (.*)", self.text))
        self.assertGreater(len(said), 6)
        self.assertEqual(Options(), parse_options(said, Options))

    def test_what_is_set_stands_in_the_place_of_the_line_of_its_name(self):
        redis = "redis://127.0.0.1:6379/0"
        _, text, _ = run("config", "workers=2", f"chat.log={redis}", "threads_max=9", "port=1")
        self.assertIn("\nworkers = 2\n", text)
        self.assertIn("\nport = 1\n", text)
        self.assertIn(f"\nchat.log = {redis}\n", text)
        self.assertNotIn("sqlite:", text)
        self.assertIn("use = egg:ChatApp#http\nthreads_max = 9\n", text)
        changed = set(text.splitlines()) - set(self.text.splitlines())
        self.assertEqual(4, len(changed), changed)

    def test_what_is_no_option_is_told_in_one_line(self):
        self.assertEqual(
            (1, "", "chatapp: unknown option 'worker': is workers meant?\n"),
            run("config", "worker=2"),
        )
        self.assertEqual((1, "", "chatapp: 'workers': not NAME=VALUE\n"), run("config", "workers"))

    def test_a_value_that_no_option_can_have_is_told_in_one_line(self):
        for setting, said in (
            ("workers=abc", "workers = 'abc': not a whole number"),
            ("port=70000", "port = '70000': must be 65535 or less"),
            ("trusted_proxies=a/b", "trusted_proxies: 'a/b' is not an address"),
            ("chat.history=0", "chat.history = '0': must be 1 or more"),
            ("chat.log=postgres://db", "chat.log: 'postgres://db' is no message log"),
            ("chat.title=50% off", "chat.title = '50% off': in an ini % is written %%"),
            ("debug=maybe", "debug: String is not true/false: 'maybe'"),
            ("session.secure=maybe", "session.secure = 'maybe': "),
        ):
            with self.subTest(setting):
                with self.assertRaises(OptionError) as caught:
                    settings_of([setting])
                self.assertIn(said, f"{caught.exception}")
        self.assertEqual(
            (1, "", "chatapp: workers = 'abc': not a whole number\n"), run("config", "workers=abc")
        )

    def test_a_value_may_name_what_an_ini_knows(self):
        for setting in (
            "chat.log=sqlite:///%(here)s/chat.db",
            "port=%(http_port)s",
            "chat.title=50%% off",
            "certificate=/of/another/machine.pem",
        ):
            with self.subTest(setting):
                text = configuration(settings_of([setting]))
                self.assertIn(f"\n{setting.replace('=', ' = ', 1)}\n", text)

    def test_it_has_no_secret(self):
        self.assertNotRegex(self.text, r"(?mi)^#?[\w.]*(password|secret) = [^/]")

    def test_files_of_the_log_are_opened_anew_at_a_signal(self):
        server = ChatServer()
        logs = server.folder / "50%"
        logs.mkdir()
        _, text, _ = run("config", f"port={server.port}", "--logs", logs)
        server.ini.write_text(text)
        self.assertEqual(0, run("check", server.ini)[0])
        with server:
            urllib.request.urlopen(f"{server.url}chat.css").close()
            eventually(lambda: (logs / "access.log").read_text().count("/chat.css"), 1)
            for name in ("access.log", "chat.log"):
                (logs / name).rename(logs / f"{name}.1")
            server.signal(signal.SIGUSR1)
            eventually(lambda: len(list(logs.glob("*.log"))), 2)
            self.assertIn("serving on", (logs / "chat.log.1").read_text())

    def test_what_is_commented_out_is_taken_as_well(self):
        server = ChatServer()
        lines = []
        for line in self.text.splitlines():
            name = line.removeprefix("#").partition(" = ")[0]
            is_setting = line.startswith("#") and " " not in name
            away = (
                "allowed_hosts",
                "certificate",
                "key",
                "unix_socket",
                "chat.log",
                "chat.secret_file",
            )
            lines.append(line[1:] if is_setting and name not in away else line)
        server.ini.write_text("\n".join(lines) + "\n")
        server.arguments = [f"port={server.port}"]
        with server, urllib.request.urlopen(f"{server.url}metrics") as figures:
            self.assertIn(b"cogen_connections", figures.read())

    def test_make_config_writes_the_same_and_setup_app_makes_the_secret(self):
        self.paster("make-config", "ChatApp", "made.ini")
        self.assertEqual(self.text, (self.folder / "made.ini").read_text())
        self.paster("setup-app", "made.ini")
        self.assertEqual(0o600, (self.folder / "data/secret").stat().st_mode & 0o777)
