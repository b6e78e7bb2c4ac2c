"""A project for Pylons 1.0.3 and Python 2: converted, installed, served, tested."""

import http.client
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from benchmarks.harness.chat import ROOT, free_port
from benchmarks.harness.server import eventually

PROJECT = Path(__file__).with_name("project10.txt")
BIN = Path(sys.executable).parent


class Browser:
    """Keeps the cookies that it is given."""

    def __init__(self, port):
        self.port = port
        self.cookies = {}

    def get(self, path, **headers):
        """Status, headers and text of the answer."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Cookie": cookie, **headers})
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text


class ProjectTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name).resolve()
        cls.project = cls.folder / "project"
        for part in PROJECT.read_text("utf-8").split("\n=== ")[1:]:
            name, _, text = part.partition("\n")
            path = cls.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        cls.run_there(sys.executable, "-m", "pylons.fixes", "project", PYTHONPATH=str(ROOT))
        cls.run_there(Path(ROOT, "scripts/stage"), cls.folder / "stage")
        site = cls.folder / "site"
        cls.environment = {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "PYTHONWARNINGS": "ignore"}
        packages = cls.folder / "stage" / "pylons", cls.project
        cls.run_there(
            BIN / "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target",
            site, *packages,
        )  # fmt: skip

    @classmethod
    def tearDownClass(cls):  # nose knows no class cleanups
        cls.temporary.cleanup()

    @classmethod
    def run_there(cls, *command, cwd=None, **environment):
        done = subprocess.run(
            command,
            cwd=cwd or cls.folder,
            env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def served(self, server="", *arguments):
        """A browser at the project, served by `paster` until the test ends, and what stops it."""
        ini = self.project / "development.ini"
        if server:
            text = re.sub(r"(\[server:main\]\n)use = .*", rf"\1{server}", ini.read_text())
            ini = self.project / "other.ini"
            ini.write_text(text)
        port = free_port()
        log = self.folder / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [BIN / "paster", "serve", ini, f"http_port={port}", *arguments],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdout=file,
                stderr=file,
            )

        def stop():
            process.terminate()
            process.wait(30)

        self.addCleanup(stop)
        browser = Browser(port)

        def answers():
            self.assertIsNone(process.poll(), log.read_text())
            try:
                return browser.get("/hello/index")[0] == 200
            except ConnectionError:
                return False

        eventually(answers, True)
        return browser, stop

    def test_it_answers_as_it_did(self):
        browser, _ = self.served()
        self.assertEqual((200, "<h1>Welcome</h1>\n"), browser.get("/")[::2])
        self.assertEqual("Hello, wörld", browser.get("/hello/index")[2])
        page = '<h1>&lt;nobody&gt;</h1>\n<b>&lt;nobody&gt;</b>\n\n<a href="/hello/index">home</a>\n'
        self.assertEqual(page, browser.get("/hello/page")[2])
        self.assertIn("<h1>a\ufffd</h1>", browser.get("/hello/page?name=a%ff")[2])
        status, headers, _ = browser.get("/hello/away")
        self.assertEqual((302, "here"), (status, browser.cookies["was"]))
        self.assertTrue(headers["Location"].endswith("/hello/index"))

    def test_its_error_page_is_shown_with_its_files(self):
        browser, _ = self.served()
        for path, status, said in (
            ("/nowhere/at/all", 404, "could not be found"),
            ("/hello/nothing", 404, "could not be found"),
            ("/hello/forbidden", 403, "Not for &lt;you&gt;"),
            ("/hello/fails", 500, "An internal server error occurred"),
        ):
            got, headers, text = browser.get(path, Accept="text/html")
            self.assertEqual(status, got)
            self.assertIn(f"<title>Server Error {status}</title>", text)
            self.assertIn(said, text)
            self.assertNotIn("b'", text)
            self.assertEqual("text/html; charset=utf-8", headers["Content-Type"])
        status, headers, text = browser.get("/error/style/black.css")
        self.assertEqual((200, "text/css"), (status, headers["Content-Type"]))
        self.assertIn("#container", text)

    def test_a_session_outlives_a_restart(self):
        browser, stop = self.served()
        self.assertIn("1 visits", browser.get("/hello/visits")[2])
        stop()
        again, _ = self.served()
        again.cookies = browser.cookies
        self.assertIn("2 visits", again.get("/hello/visits")[2])

    def test_two_workers_share_the_sessions(self):
        browser, _ = self.served("use = egg:cogen#http\nworkers = 2")
        visits, processes = [], set()
        while len(processes) < 2 or len(visits) < 10:
            text = browser.get("/hello/visits")[2]
            visits.append(int(text.split()[0]))
            processes.add(text.split()[-1])
            self.assertLess(len(visits), 500, "one worker answered all")
        self.assertEqual(list(range(1, len(visits) + 1)), visits)

    def test_its_own_tests_pass(self):
        said = self.run_there(BIN / "nosetests", cwd=self.project, **self.environment)
        self.assertIn("3 passed, 0 failed, 0 skipped", said)

    def test_paster_sets_it_up_and_makes_its_configuration(self):
        said = self.run_there(BIN / "paster", "setup-app", "project/test.ini", **self.environment)
        self.assertIn(f"set up: {self.project}/data\n", said)
        self.run_there(BIN / "paster", "make-config", "oldhello", "made.ini", **self.environment)
        made = (self.folder / "made.ini").read_text()
        self.assertIn("use = egg:oldhello\ncache_dir = %(here)s/data\n", made)
        self.assertRegex(made, r"session.secret = \S{20,}\napp_instance_uuid = [0-9a-f-]{36}\n")

    def test_pip_takes_this_for_the_pylons_that_it_asks_for(self):
        # It may not ask PyPI, which has 1.0.3.
        said = self.run_there(
            BIN / "pip", "install", "--dry-run", "--no-index", "--no-build-isolation", self.project
        )  # fmt: skip
        self.assertRegex(said, r"Requirement already satisfied: Pylons>=1\.0 .*\(1\.\d+\.\d+\)")

    def test_paster_works_in_its_folder(self):
        said = self.run_there(BIN / "paster", "--help", cwd=self.project, **self.environment)
        self.assertIn("setup-app", said)
