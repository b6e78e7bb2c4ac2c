"""`chatapp check` has a line for each thing that keeps the chat from starting or being safe."""

import contextlib
import io
import os
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from benchmarks.harness.chat import ChatServer, free_port
from chatapp.command.check import check
from chatapp.command.config import configuration
from tests.chatapp.command.program import run
from tests.support.engine import RedisServer

SERVER = "[server:main]\nuse = egg:ChatApp#http\n"
CHAT = "[app:main]\nuse = egg:ChatApp\nchat.data = %(here)s/data\n"


class CheckTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.ini = self.folder / "chat.ini"

    def check(self, server="", chat="", text=None):
        """The status, and the lines without the name of the file."""
        if "port =" not in server:
            server += f"\nport = {free_port()}\n"
        if "chat.log =" not in chat:
            chat += "\nchat.log = sqlite:///%(here)s/data/chat.db\n"
        self.ini.write_text(text if text is not None else f"{SERVER}{server}\n{CHAT}{chat}")
        said, status = io.StringIO(), 0
        with contextlib.redirect_stdout(said):
            try:
                check(str(self.ini))
            except SystemExit as end:
                status = end.code
        lines = said.getvalue().splitlines()
        self.assertTrue(all(line.startswith(f"{self.ini}: ") for line in lines), lines)
        return status, [line.removeprefix(f"{self.ini}: ") for line in lines]

    def finds(self, pattern, **ini):
        status, lines = self.check(**ini)
        self.assertEqual((1, 1), (status, len(lines)), lines)
        self.assertRegex(lines[0], pattern)

    def warns(self, pattern, **ini):
        status, lines = self.check(**ini)
        self.assertEqual((0, 1), (status, len(lines)), lines)
        self.assertRegex(lines[0], f"{pattern}.* \\(a warning\\)$")

    def test_the_ini_of_chatapp_config_is_in_order_and_nothing_is_made(self):
        text = configuration().replace("port = 5000", f"port = {free_port()}")
        self.assertEqual((0, ["nothing is wrong"]), self.check(text=text))
        self.assertEqual(["chat.ini"], os.listdir(self.folder))

    def test_the_ini_for_redis_is_in_order(self):
        with RedisServer() as redis:
            settings = {"chat.log": redis.url, "workers": "2", "port": str(free_port())}
            lines = self.check(text=configuration(settings))
        self.assertEqual((0, ["nothing is wrong"]), lines)

    def test_the_command_ends_with_the_status(self):
        self.ini.write_text("")
        self.assertEqual(
            (1, f"{self.ini}: no section is the chat: use = egg:ChatApp\n", ""),
            run("check", self.ini),
        )
        self.ini.write_text(f"{SERVER}port = {free_port()}\n{CHAT}chat.log = memory:\n")
        self.assertEqual(0, run("check", self.ini)[0])

    def test_a_file_that_cannot_be_read(self):
        self.finds("no section headers", text="x = 1")
        self.finds("already exists", text="[a]\n[a]\n")
        self.ini.unlink()
        status, said, _ = run("check", self.ini)
        self.assertEqual((1, f"{self.ini}: No such file or directory\n"), (status, said))

    def test_what_paster_tells_by_a_traceback(self):
        self.finds("option 'port' .* already exists", server="port = 1\nport = 2")
        self.finds(
            "No module named 'nowhere'", chat="[app:other]\npaste.app_factory = nowhere:make"
        )
        self.finds("No package .* Nowhere", chat="[app:other]\nuse = egg:Nowhere")
        status, said, errors = run("check", self.folder / "missing.ini")
        self.assertEqual((1, 1, ""), (status, said.count("\n"), errors))
        self.assertIn("missing.ini: No such file", said)

    def test_options(self):
        self.finds(r"^\[server:main\]: unknown server option 'hots'", server="hots = 1")
        self.finds(r"^\[server:main\]: backlog = 'many'", server="backlog = many")
        self.finds(r"^\[app:main\]: unknown option 'chat\.lgo': is chat\.log meant\?$",
                   chat="chat.lgo = memory:")  # fmt: skip
        self.finds(r"^\[app:main\]: .* 'titel': is chat\.title meant\?$", chat="titel = x")
        self.finds(r"^\[app:main\]: chat\.history = '0'", chat="chat.history = 0")
        self.finds(r"^\[app:main\]: 'ftp://x' is no message log", chat="chat.log = ftp://x")
        self.finds(r"^\[app:other\]: No package .* Chatap", chat="[app:other]\nuse = egg:Chatap")
        self.finds(
            r"^\[server:other\]: the chat needs", chat="[server:other]\nuse = egg:Paste#http\n"
        )

    def test_all_options_that_are_wrong_are_told(self):
        status, lines = self.check(
            server="workers = two\nthreads = -3\nhots = 1",
            chat="chat.lease = nan\nchat.history = 0",
        )
        self.assertEqual(1, status)
        self.assertEqual(
            [
                "[app:main]: chat.history = '0': must be 1 or more",
                "[app:main]: chat.lease = 'nan': not a number",
                "[server:main]: threads = '-3': must be auto or a whole number",
                "[server:main]: unknown server option 'hots': is host meant?",
                "[server:main]: workers = 'two': not a whole number",
            ],
            sorted(lines),
        )

    def test_what_paster_starts(self):
        address = f"port = {free_port()}\n"
        chat = f"{CHAT}chat.log = sqlite:///%(here)s/data/chat.db\n"
        self.finds(r"^\[server:main\] is missing", text=chat)
        named = chat.replace("app:main", "app:chat")
        self.finds(
            r"^\[app:main\], \[pipeline:main\] or \[composite:main\] is missing",
            text=f"{SERVER}{address}{named}",
        )
        pipeline = f"{SERVER}{address}{named}[pipeline:main]\npipeline = logged chat\n"
        self.finds(r"^\[pipeline:main\]: No section 'logged'", text=pipeline)
        text = f"{pipeline}[filter:logged]\nuse = egg:Paste#translogger\n"
        self.assertEqual((0, ["nothing is wrong"]), self.check(text=text))

    def test_options_that_are_read_when_the_server_is_made(self):
        for name, value in (
            ("trusted_proxies", "proxy.local"),
            ("allowed_hosts", "http://chat.example"),
            ("proxy_headers", "X-Real-IP"),
        ):
            line = f"^\\[server:main\\]: {name}: "
            self.finds(line, server=f"{name} = {value}")

    def test_options_of_the_session_and_of_the_debugger(self):
        self.finds("session.secure = 'maybe': Session sec", chat="session.secure = maybe")
        self.finds("session.type = 'coookie': Beaker knows", chat="session.type = coookie")
        self.finds("session.type = 'file' needs session.data_dir", chat="session.type = file")
        for more in ("memory", "file\nsession.data_dir = %(here)s/data"):
            self.assertEqual(0, self.check(chat=f"session.type = {more}")[0])
        self.finds("'session.secrue': is session.secure meant", chat="session.secrue = true")
        self.finds("save_accessed_time must be true", chat="session.timeout = 60")
        self.finds("cookie_expires = 'soon': Cookie exp", chat="session.cookie_expires = soon")
        self.finds(r"^\[app:main\]: debug: .* 'maybe'", chat="debug = maybe")

    def test_an_application_behind_a_filter(self):
        filtered = "chat.log = ftp://x\nfilter-with = t\n[filter:t]\nuse = egg:Paste#translogger"
        text = f"{SERVER}port = {free_port()}\n{CHAT}{filtered}"
        self.finds(r"^\[app:main\]: 'ftp://x' is no message log", text=text)

    def test_loggers(self):
        text = configuration().replace("port = 5000", f"port = {free_port()}")
        log = f"{self.folder}/nowhere/log"
        for old, new, line in (
            ("[formatters]\nkeys = log, access", "[other]", r"\[formatters\]: keys is missing"),
            ("keys = root, access", "keys = access", r"\[loggers\]: keys is without root"),
            (
                "keys = root, access",
                "keys = root, access, chat",
                r"\[loggers\]: keys has 'chat', and there is no",
            ),
            ("level = INFO", "level = LOUD", r"\[logger_root\]: level = 'LOUD': must be one of"),
            ("handlers = log", "handlers = file", r"\[logger_root\]: handlers: 'file' is not"),
            ("handlers = log", "", r"\[logger_root\]: handlers is missing"),
            ("formatter = log", "formatter = json", r"\[handler_log\]: formatter = 'json'"),
            ("= StreamHandler", "= handlers.Stream", r"\[handler_log\]: class = 'handlers.Str"),
            ("class = StreamHandler", "", r"\[handler_log\]: class = ''"),
            ("args = (sys.stderr,)", "args = (stderr,)", r"\[handler_log\]: args = .*'stderr'"),
            ("args = (sys.stderr,)", "args = (sys", r"\[handler_log\]: args = .* never closed"),
            ("args = (sys.stderr,)", "args = (1, 2)", r"\[handler_log\]: args = .*too many"),
            (
                "class = StreamHandler",
                "class = handlers.WatchedFileHandler",
                r"\[handler_log\]: args = .*: expected str",
            ),
            (
                "class = StreamHandler\nargs = (sys.stderr,)",
                f"class = handlers.WatchedFileHandler\nargs = ({log!r},)",
                rf"\[handler_log\]: {log}: there is no folder {self.folder}/nowhere",
            ),
            (
                "%(asctime)s %(levelname)-7s %(process)d %(name)s: %(message)s",
                "{message}",
                r"\[formatter_log\]: format = '{message}': ",
            ),
        ):
            with self.subTest(new):
                self.assertIn(old, text)
                status, lines = self.check(text=text.replace(old, new, 1))
                self.assertEqual(1, status, lines)
                self.assertRegex(lines[0], f"^{line}")
                with self.assertRaises(subprocess.CalledProcessError, msg="logging takes it"):
                    self.configured()

    def configured(self):
        """Have `logging` read the ini as paster does, in a process of its own."""
        program = (
            "import logging.config, sys; logging.config.fileConfig(sys.argv[1], {'here': '.'})"
        )
        subprocess.run([sys.executable, "-c", program, self.ini], check=True, capture_output=True)

    def test_files_of_the_log_are_not_made(self):
        text = configuration({"port": str(free_port())}, logs=str(self.folder))
        self.assertEqual((0, ["nothing is wrong"]), self.check(text=text))
        self.assertEqual(["chat.ini"], os.listdir(self.folder))
        self.configured()
        self.assertEqual({"chat.ini", "chat.log", "access.log"}, set(os.listdir(self.folder)))

    def test_the_certificate(self):
        self.finds("certificate = '/nowhere'", server="certificate = /nowhere",
                   chat="session.secure = true")  # fmt: skip

    def test_the_paths_of_the_server_itself(self):
        self.finds("ready_path = '/x'", server="health_path = /x\nready_path = /x")

    def test_workers_need_redis(self):
        self.finds("workers = 2 need chat.log in Redis", server="workers = 2")

    def test_the_address(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            line = f"cannot listen on 127.0.0.1:{port}: Address already in use"
            self.finds(line, server=f"port = {port}")
        self.finds("host = nowhere.invalid", server="host = nowhere.invalid")
        self.finds("unix_socket", server=f"unix_socket = {self.folder}/nowhere/socket")

    def test_a_unix_socket_that_is_taken(self):
        path = self.folder / "socket"
        option = f"unix_socket = {path}"
        path.touch()
        self.finds(f"{option}: there is a file that is no socket", server=option)
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            self.finds(f"{option}: Address already in use", server=option)
        self.assertEqual(0, self.check(server=option)[0])

    def test_the_chat_that_runs_is_told_and_what_it_has_is_its_own(self):
        with ChatServer() as server:
            server.logged("serving on")
            status, said, _ = run("check", server.ini)
            line = f"[app:main]: the chat runs already, as process {server.process.pid} (a warning)"
            self.assertEqual((0, f"{server.ini}: {line}\n"), (status, said))

    def test_two_chats_that_have_one_database(self):
        self.warns(
            rf"^\[app:b\]: chat.log: {self.folder}/data/chat.db is that of \[app:main\] too",
            chat="chat.log = sqlite:///%(here)s/data/chat.db\n"
            "[app:b]\nuse = egg:ChatApp\nchat.data = %(here)s/data\n"
            "chat.log = sqlite:///%(here)s/data/../data/chat.db\n",
        )

    def test_a_database_that_another_server_has(self):
        with ChatServer() as server:
            server.logged("serving on")
            database = server.folder / "chat.db"
            self.finds(
                rf"^\[app:main\]: chat.log: {database} is in use by process {server.process.pid}$",
                chat=f"chat.log = sqlite:///{database}",
            )

    def test_the_secret(self):
        secret = self.folder / "secret"
        secret.write_text("x" * 40)
        secret.chmod(0o644)
        self.finds(f"{secret} can be read by others", chat=f"chat.secret_file = {secret}")
        secret.chmod(0o600)
        self.assertEqual(0, self.check(chat=f"chat.secret_file = {secret}")[0])
        secret.write_text("short")
        self.finds(f"{secret} is too short", chat=f"chat.secret_file = {secret}")
        self.finds("the secret /nowhere: No such file", chat="chat.secret_file = /nowhere")

    def test_the_folder(self):
        (self.folder / "data").touch()
        _, lines = self.check(chat="chat.log = memory:")
        self.assertIn(f"chat.data = {self.folder}/data: {self.folder}/data is no folder", lines[0])

    def test_the_folder_can_be_changed_by_everybody(self):
        (self.folder / "data").mkdir()
        (self.folder / "data").chmod(0o777)
        status, lines = self.check()
        self.assertEqual((1, 2), (status, len(lines)), lines)
        self.assertIn("can be changed by everybody", lines[0])

    def test_the_database(self):
        database = self.folder / "x.db"
        database.write_text("no database, but long enough to be looked at")
        database.chmod(0o600)
        chat = f"chat.log = sqlite:///{database}"
        self.finds("file is not a database", chat=chat)
        database.write_text("")
        database.chmod(0o644)
        self.finds(f"{database} can be read by everybody", chat=chat)

    def test_memory_is_warned_of(self):
        self.warns("memory: forgets everything", chat="chat.log = memory:")

    def test_tracebacks_are_warned_of(self):
        self.warns(r"^\[DEFAULT\]: debug = true", server="[DEFAULT]\ndebug = true\n")
        for line in ("debug = true", "set debug = true"):
            self.warns(r"^\[app:main\]: debug = true", chat=line)
            text = f"{SERVER}port = {free_port()}\n[app:main]\nuse = base\n"
            base = f"{CHAT.replace('main', 'base')}chat.log = sqlite:///%(here)s/data/chat.db\n"
            _, lines = self.check(text=f"{text}{base}{line}\n")
            self.assertTrue(lines)
            for found in lines:
                self.assertRegex(found, r"^\[app:base\]: ")

    def test_what_a_section_says_counts_and_not_what_default_says(self):
        server = "[DEFAULT]\ndebug = true\n"
        self.assertEqual((0, ["nothing is wrong"]), self.check(server, "debug = false"))

    def test_a_password_that_everybody_can_read(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.ini.touch(0o644)
        _, lines = self.check(chat=f"chat.log = redis://me:word@127.0.0.1:{port}")
        self.assertIn("has a password and can be read by everybody", lines[0])
        self.assertRegex(lines[1], rf"chat.log: redis://127.0.0.1:{port}: .*111")
        self.assertNotIn("word@", "".join(lines))

    def test_what_cannot_say_who_asks_and_a_key_that_everybody_can_read(self):
        status, lines = self.check(chat="chat.identity = token")
        self.assertEqual(1, status)
        self.assertIn("needs chat.token_key or chat.token_public_key", lines[0])
        self.ini.touch(0o644)
        key = "chat.identity = token\nchat.token_key = " + "k" * 40
        status, lines = self.check(chat=key)
        self.assertEqual(1, status)
        self.assertIn("has a key and can be read by everybody", lines[0])

    def test_a_rule_that_cannot_be_called_and_passkeys_that_can_be_none(self):
        self.finds("chat.allow.*nosuch", chat="chat.allow = nosuch:may")
        self.finds("passkeys is for chat.identity = members", chat="chat.passkeys = true")
        members = "chat.identity = members\nchat.passkeys = true\nchat.url = "
        self.finds("needs a chat.url of https", chat=f"{members}http://chat.example.com")
        status, lines = self.check(chat=f"{members}https://chat.example.com")
        self.assertEqual(0, status, lines)

    def test_redis_that_answers(self):
        with RedisServer() as redis:
            status, lines = self.check(chat=f"chat.log = {redis.url}")
        self.assertEqual(0, status, lines)
        self.assertTrue(all(line.endswith("(a warning)") for line in lines[:-1]), lines)
