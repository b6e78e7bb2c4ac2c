"""`cogen-serve` as it is typed: --check, --reload, an ini, Python's development mode."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from benchmarks.harness.commands import APPLICATION, ROOT, STARTS_WHEN_TOLD, CommandServer
from benchmarks.harness.server import PATIENCE, eventually
from benchmarks.procfs import is_running

MAKES = APPLICATION.format(version="one") + "\ndef create_app():\n    return application\n"
HANGS = "\nimport time\nprint('it hangs', flush=True)\ntime.sleep(3600)\n"
INI = """\
[DEFAULT]
level = INFO

[server:main]
use = egg:cogen#http
host = 127.0.0.1
port = 0
threads = 2

[app:main]
use = egg:ChatApp
chat.log = memory:
chat.data = %(here)s/data

[app:plain]
paste.app_factory = pasted:make
name = of the ini
"""
LOGGERS = """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = line
[logger_root]
level = INFO
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = line
[formatter_line]
format = as the ini has it: %(message)s
"""
PASTED = """\
def make(global_conf, name):
    def application(environ, start_response):
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [name.encode()]
    return application
"""
# Neither paster nor what it needs an old setuptools for.
WITHOUT_PASTER = """
import sys
for name in ('paste.script', 'pkg_resources', 'setuptools'):
    sys.modules[name] = None
"""


class _FolderCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.write("app.py", MAKES)
        self.write("pasted.py", PASTED)
        self.write("site.ini", INI)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run_command(self, *arguments, **environment):
        """Its status, and what it said."""
        done = subprocess.run(
            [sys.executable, "-B", "-m", "cogen.web.command", *arguments],
            cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


class WrongTests(_FolderCase):
    def test_what_is_wrong_is_one_line_and_status_2(self):
        for arguments, environment, said in (
            (("--prot", "1", "app"), {}, "unknown option --prot, is --port meant?"),
            (("app",), {"COGEN_PROT": "1"}, "COGEN_PROT: unknown option 'prot': is port meant?"),
            (("nothing",), {}, "nothing: there is no module 'nothing' in "),
            (("site.ini#no",), {}, "site.ini#no: No section 'no'"),
        ):
            with self.subTest(said):
                status, out, line = self.run_command(*arguments, **environment)
                self.assertEqual((2, ""), (status, out), line)
                self.assertEqual(1, line.count("\n"), line)
                self.assertTrue(line.startswith(f"cogen-serve: {said}"), line)


class CheckTests(_FolderCase):
    def checked(self, *arguments, **environment):
        status, said, log = self.run_command(*arguments, "--check", **environment)
        self.assertEqual(0, status, log)
        return said.splitlines()

    def test_what_would_be_served_is_said_and_how(self):
        self.assertEqual(
            [
                "app: app.application",
                "the application runs in 3 threads",
                "serves on http://127.0.0.1:0/",
                "port = 0 (the command line)",
                "threads = 3 (the environment)",
                "nothing is wrong",
            ],
            self.checked("app", "--port", "0", COGEN_THREADS="3"),
        )

    def test_the_nearest_place_counts(self):
        text = "application = 'app'\nport = 1\nthreads = 1\nmax_headers = 1\nworkers = 2"
        self.write("site.toml", text)
        said = self.checked(
            "--config", "site.toml", "--port", "0", COGEN_PORT="2", COGEN_THREADS="2"
        )
        for line in (
            "port = 0 (the command line)",
            "threads = 2 (the environment)",
            "max_headers = 1 (site.toml)",
        ):
            self.assertIn(line, said)

    def test_an_ini_is_the_last_of_them(self):
        self.write("site.toml", "threads = 5")
        environment = {"COGEN_CONFIG": "site.toml", "COGEN_HOST": "127.0.0.2"}
        said = self.checked("site.ini#plain", **environment)
        self.assertEqual("site.ini#plain: pasted.make.<locals>.application", said[0])
        self.assertIn("port = 0 ([server:main] of site.ini#plain)", said)
        self.assertIn("host = 127.0.0.2 (the environment)", said)
        self.assertIn("threads = 5 (site.toml)", said)

    def test_modules_are_looked_for_in_the_folder_that_is_named(self):
        self.write("below/inner.py", MAKES)
        self.assertEqual("inner: inner.application", self.checked("inner", "--app-dir", "below")[0])

    def test_a_factory(self):
        made = self.checked("--factory", "app:create_app")
        self.assertEqual("app:create_app: app.application", made[0])

    def test_an_address_that_is_in_use_is_no_error(self):
        with CommandServer() as server:
            port = server.address.rstrip("/").rpartition(":")[2]
            where = f"serves on http://127.0.0.1:{port}/, where somebody listens now"
            self.assertIn(where, self.checked("app", "--port", port))
            self.assertEqual("one", server.get()[0])

    def test_what_is_wrong_is_said_and_the_status_is_2(self):
        self.write("broken.py", "def f(:\n")
        self.write("fails.py", "{}['x']\n")
        self.write("other.ini", INI.replace("chat.log", "chat.lgo"))
        for arguments, said in (
            (("broken",), "broken: it raised SyntaxError while it was imported"),
            (("fails",), "KeyError: 'x'\ncogen-serve: fails: it raised KeyError"),
            (("nothing",), "nothing: there is no module 'nothing'"),
            (("other.ini",), "unknown option 'chat.lgo'"),
            (("app", "--certificate", "/no"), "certificate = '/no': cannot be read"),
            (("app", "--host", "192.0.2.1"), "cannot listen on 192.0.2.1:8080: "),
        ):
            with self.subTest(said):
                status, out, errors = self.run_command(*arguments, "--check")
                self.assertEqual((2, ""), (status, out), errors)
                self.assertIn(said, errors)


class IniTests(_FolderCase):
    def serve(self, *named, **more):
        server = CommandServer(named[0], before=WITHOUT_PASTER, **more)
        del server.options["host"], server.options["port"]
        for name in ("pasted.py", "site.ini"):
            (server.folder / name).write_text((self.folder / name).read_text())
        return server

    def test_the_chat_is_served_without_paster(self):
        with self.serve("site.ini") as server, server.connect() as client:
            response = client.get("/chat/pull", "Accept: application/json\r\n")
            self.assertIn("cursor", response.json)
            self.assertEqual(0, server.stop())

    def test_what_changes_in_an_ini_is_served_anew(self):
        with self.serve("site.ini#plain", environment={"COGEN_RELOAD": "true"}) as server:
            (server.folder / "site.ini").write_text(INI.replace("of the ini", "of another"))

            def answer():
                with server.connect() as client:
                    return client.get().body

            eventually(answer, b"of another")
            self.assertEqual(0, server.stop())

    def test_a_section_with_the_loggers_of_the_ini(self):
        self.write("site.ini", INI + LOGGERS)
        with self.serve("site.ini#plain") as server, server.connect() as client:
            self.assertEqual(b"of the ini", client.get().body)
            self.assertIn("as the ini has it: serving on", server.log)
            self.assertIn("as the ini has it: the application runs in 2 threads", server.log)
            self.assertEqual(0, server.stop())


class ReloadTests(unittest.TestCase):
    def serve(self, **options):
        return CommandServer(environment={"COGEN_RELOAD": "true"}, **options)

    def test_code_that_changes_is_served_and_holds_no_held_request_up(self):
        with self.serve() as server:
            with server.connect() as held:
                held.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual("one", server.get()[0])
                server.write("two")
                eventually(lambda: server.get()[0], "two")
                self.assertEqual("one", held.response().body.decode().split()[0])
            server.write("three")
            eventually(lambda: server.get()[0], "three")
            self.assertIn("app.py changed", server.log)
            self.assertEqual(0, server.stop())

    def test_templates_and_settings_count_too(self):
        with self.serve() as server:
            for number, name in enumerate(("page.html", "site.ini"), 1):
                (server.folder / name).touch()
                server.logged(f"{name} changed")
                server.logged("a new process serves", number)
            self.assertEqual(0, server.stop())

    def test_what_served_goes_on_over_an_error_until_the_next_change(self):
        with self.serve() as server:
            server.write("two", "def f(:")
            server.logged("what served before goes on")
            self.assertIn("SyntaxError", server.log)
            self.assertEqual("one", server.get()[0])
            server.write("three")
            eventually(lambda: server.get()[0], "three")
            self.assertEqual(0, server.stop())

    def test_an_error_at_the_start_waits_for_the_next_change(self):
        for error in ("def f(:", "raise SystemExit('not yet')", "None.x"):
            with self.subTest(error):
                server = self.serve()
                server.write("one", error)
                server.start()
                try:
                    server.logged("it starts anew when a file has changed")
                    server.write("two")
                    server.address = server.wait_until_up()
                    self.assertEqual("two", server.get()[0])
                    self.assertEqual(0, server.stop())
                finally:
                    server.__exit__()

    def test_one_that_hangs_at_the_start_is_replaced_at_the_next_change(self):
        for more, said in ((HANGS, "it hangs"), (STARTS_WHEN_TOLD, "starting\n")):
            with self.subTest(said):
                server = self.serve()
                server.write("one", more)
                server.start()
                try:
                    server.logged(said)
                    pid = server.process.pid
                    server.write("two")
                    server.address = server.wait_until_up()
                    self.assertEqual(("two", pid), server.get())
                    self.assertEqual(0, server.stop())
                finally:
                    server.__exit__()

    def test_one_that_hangs_at_a_reload_is_ended_by_the_next_change(self):
        with self.serve(reload_timeout=0) as server:
            for count, more, said in ((1, HANGS, "it hangs"), (2, STARTS_WHEN_TOLD, "starting\n")):
                with self.subTest(said):
                    server.write("two", more)
                    server.logged(said)
                    [pid] = set(server.children()) - {server.get()[1]}
                    server.write(f"three-{count}")
                    eventually(lambda count=count: server.get()[0], f"three-{count}")
                    self.assertFalse(is_running(pid))
                    server.logged("what was starting is given up: files have changed", count)
            self.assertEqual(0, server.stop())

    def test_a_signal_does_not_end_one_that_is_starting(self):
        with self.serve() as server:
            server.write("two", STARTS_WHEN_TOLD)
            server.logged("starting")
            pids = server.children()
            server.signal(signal.SIGHUP)
            server.get()
            self.assertEqual(pids, server.children())
            (server.folder / "go").touch()
            server.logged("a new process serves", 2)
            self.assertNotIn("given up", server.log)
            self.assertEqual(0, server.stop())

    def test_one_that_waits_is_ended_by_a_signal(self):
        server = self.serve()
        server.write("one", "None.x")
        server.start()
        server.logged("it starts anew when a file has changed")
        server.signal(signal.SIGINT)
        self.assertEqual(-signal.SIGINT, server.ended())
        server.__exit__()

    def test_one_process_serves(self):
        with self.serve(workers=3) as server:
            self.assertIn("with --reload one process serves, not 3", server.log)
            self.assertEqual([], server.children())
            self.assertEqual(0, server.stop())


class DevelopmentModeTests(unittest.TestCase):
    def test_start_serving_reload_and_stop_have_nothing_to_say(self):
        for options in (
            {"threads": 2},
            {"threads": 0, "proactor": "asyncio"},
            {"threads": 0, "proactor": "uvloop"},
            {"workers": 2},
        ):
            with self.subTest(options):
                environment = {"PYTHONDEVMODE": "1"}
                # A busy machine may hold the loop, which is told in any mode.
                with CommandServer(environment=environment, stall_warning=0, **options) as server:
                    self.assertEqual("one", server.get()[0])
                    self.assertEqual("one", server.get("/slow")[0])
                    server.write("two")
                    server.signal(signal.SIGHUP)
                    eventually(lambda server=server: server.get()[0], "two")
                    self.assertEqual(0, server.stop())
                    said = [line for line in server.log.splitlines() if " INFO " not in line]
                    self.assertEqual([], said)
                    self.assertNotIn("asyncio", server.log)
