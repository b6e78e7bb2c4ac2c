"""The application by itself, through WebTest: all that does not wait."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from paste.deploy import loadapp
from webob import Request
from webtest import TestApp

import chatapp
from benchmarks.harness.chat import ROOT
from chatapp.config import environment
from chatapp.config.middleware import make_app
from cogen.web.life import expect_lives


class AppTests(unittest.TestCase):
    def setUp(self):
        expect_lives()
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        ini = f"{self.folder}/test.ini"
        with open(ROOT / "test.ini") as source, open(ini, "w") as copy:
            copy.write(source.read())
        self.app = TestApp(loadapp(f"config:{ini}", global_conf={"chat.log": "memory:"}))

    def test_the_page_is_at_the_root_with_its_files(self):
        page = self.app.get("/")
        self.assertIn("<title>Chat</title>", page.text)
        for path in ("/chat.js", "/chat.css", "/icon.svg"):
            self.assertEqual(200, self.app.get(path).status_int)

    def test_no_file_outside_the_public_folder_is_served(self):
        for path in ("/../templates/index.mako", "/%2e%2e/live/hub.py", "//etc/passwd"):
            self.assertEqual(404, self.app.get(path, status=404).status_int)

    def test_head_is_answered_as_get_without_a_body(self):
        self.assertEqual(b"", self.app.head("/").body)
        for takes in ("identity", "gzip"):
            get, head = (
                Request.blank("/", method=method, accept_encoding=takes).get_response(self.app.app)
                for method in ("GET", "HEAD")
            )
            self.assertEqual((len(get.body), b""), (get.content_length, head.body))
            for name in ("Content-Length", "Content-Encoding", "Vary"):
                self.assertEqual(get.headers.get(name), head.headers.get(name), (takes, name))

    def test_errors_are_one_readable_line(self):
        answer = self.app.get("/nowhere", status=404)
        self.assertEqual("There is nothing here.\n", answer.text)
        answer = self.app.put("/chat/nick", status=405)
        self.assertEqual("DELETE, GET, HEAD, POST", answer.headers["Allow"])
        elsewhere = {"Origin": "http://elsewhere.example"}
        answer = self.app.post("/chat/push", b"hi", elsewhere, status=403)
        self.assertEqual("This request comes from another site.\n", answer.text)

    def test_under_another_server_what_waits_says_what_it_needs(self):
        with self.assertLogs("chatapp", "ERROR") as logs:
            answer = self.app.post("/chat/push", b"hi", status=501, content_type="text/plain")
        self.assertIn("egg:ChatApp#http", answer.text)
        self.assertIn("egg:ChatApp#http", logs.output[0])

    def test_unknown_options_and_bad_values_end_the_start_with_one_line(self):
        for line, words in {
            "chat.poll_timout = 5": "is chat.poll_timeout meant?",
            "chat.history = many": "history = 'many'",
            "chat.queue_size = 0": "queue_size = '0'",
            "chat.log = ftp://x": "ftp://x",
            "chats.log = x": "'chats.log'",
        }.items():
            ini = f"{self.folder}/bad.ini"
            with open(ini, "w") as file:
                file.write(f"[app:main]\nuse = egg:ChatApp\nchat.data = {self.folder}\n{line}\n")
            with self.assertRaises(SystemExit) as caught:
                loadapp(f"config:{ini}")
            self.assertIn(words, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))


class ChangeTests(unittest.TestCase):
    """Files of the chat that are changed while it runs."""

    def load(self, debug):
        expect_lives()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.copy = Path(folder, "chatapp")
        shutil.copytree(Path(chatapp.__file__).parent, self.copy)
        with mock.patch.object(environment, "__file__", str(self.copy / "config/environment.py")):
            conf = {"debug": debug, "chat.log": "memory:", "chat.data": folder}
            return TestApp(make_app(conf))

    def change(self):
        for path in ("public/chat.css", "public/chat.js", "templates/index.mako"):
            (self.copy / path).write_text("changed")

    def seen(self, app):
        return [app.get(path).text == "changed" for path in ("/chat.css", "/chat.js", "/")]

    def test_they_are_taken_at_the_next_request_with_debug(self):
        app = self.load("true")
        self.assertEqual([False, False, False], self.seen(app))
        self.change()
        self.assertEqual([True, True, True], self.seen(app))

    def test_they_are_taken_at_the_next_request_under_the_reloader_of_paster(self):
        self.check_reloader("PYTHON_RELOADER_SHOULD_RUN")

    def test_they_are_taken_at_the_next_request_under_that_of_cogen_serve(self):
        self.check_reloader("COGEN_RELOAD")

    def check_reloader(self, variable):
        with mock.patch.dict(os.environ, {variable: "true"}):
            app = self.load("false")
        self.seen(app)
        self.change()
        self.assertEqual([True, True, True], self.seen(app))

    def test_they_are_taken_at_the_next_start_otherwise(self):
        app = self.load("false")
        self.change()
        self.assertEqual([False, False, False], self.seen(app))
