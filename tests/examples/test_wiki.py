"""The wiki: its tests, its catalogs, and what it does on three servers."""

import http.cookiejar
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from gettext import GNUTranslations
from pathlib import Path
from urllib.parse import urlencode

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from benchmarks.harness.chat import free_port

ROOT = Path(__file__).parents[2]
WIKI = ROOT / "examples/wiki"
BIN = Path(sys.executable).parent
PATIENCE = 60
KEYWORDS = {"_": None, "ungettext": (1, 2)}


class Browser:
    """One person: the cookies, and the page that was loaded last."""

    def __init__(self, url):
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._open = urllib.request.build_opener(jar).open

    def get(self, path, **fields):
        """Status and text; with fields it is a form that is sent."""
        body = urlencode(fields).encode() if fields else None
        try:
            with self._open(self.url + path, body, PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def send(self, form, path, **fields):
        """Load a page, and send its form to `path`."""
        token = re.search(r'_token" type="hidden" value="(\w+)"', self.get(form)[1])
        return self.get(path, _authentication_token=token[1], **fields)


class WikiCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "wiki"
        shutil.copytree(WIKI, self.folder)
        self.environ = {
            **os.environ,
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
            "PYTHONWARNINGS": "ignore",
        }
        self.run_there(sys.executable, "setup.py", "egg_info")

    def run_there(self, *command):
        done = subprocess.run(
            command, cwd=self.folder, env=self.environ, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
        )  # fmt: skip
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout


class OwnTests(WikiCase):
    def test_its_tests_pass(self):
        self.assertIn("17 passed, 0 failed, 0 skipped", self.run_there(BIN / "nosetests"))


class CatalogTests(unittest.TestCase):
    def test_each_text_is_translated_and_compiled(self):
        with open(WIKI / "babel.cfg", encoding="utf-8") as file:
            methods, options = parse_mapping_cfg(file, "babel.cfg")
        found = extract_from_dir(WIKI, methods, options, keywords=KEYWORDS)
        texts = {each[2] for each in found}
        self.assertGreater(len(texts), 20)
        for language in ("de", "fr"):
            folder = WIKI / f"wiki/i18n/{language}/LC_MESSAGES"
            with open(folder / "wiki.po", "rb") as file:
                written = {each.id: each.string for each in read_po(file) if each.id}
            self.assertEqual(texts, set(written))
            self.assertTrue(all(all(_forms(text)) for text in written.values()))
            with open(folder / "wiki.mo", "rb") as file:
                compiled = GNUTranslations(file)
            for text, translated in written.items():
                if isinstance(text, tuple):
                    for n in (1, 2, 1_000_000):
                        self.assertIn(compiled.ngettext(*text, n), translated)
                else:
                    self.assertEqual(translated, compiled.gettext(text))


def _forms(text):
    return text if isinstance(text, tuple) else (text,)


class ServedTests(WikiCase):
    def start(self, *command):
        """The URL of the wiki, which is served by `command`; {port} is where its port belongs."""
        port = free_port()
        ini = self.folder / "development.ini"
        ini.write_text(ini.read_text().replace("5000", str(port)))
        self.run_there(BIN / "paster", "setup-app", "development.ini")
        self.log = self.enterContext(open(self.folder / "log", "w+"))
        words = [str(word).replace("{port}", str(port)) for word in command]
        process = subprocess.Popen(
            words, cwd=self.folder, env=self.environ, stdout=self.log, stderr=self.log
        )
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.terminate)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                Browser(url).get("/pages")
            except OSError:
                self.assertTrue(
                    process.poll() is None and time.monotonic() < deadline, self.logged()
                )
                time.sleep(0.05)
            else:
                return url

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def write(self, url):
        """Log in and write a page, and see it."""
        ann = Browser(url)
        self.assertIn("Welcome.", ann.get("/")[1])
        status, page = ann.send("/login", "/login", name="ann", password="change me")
        self.assertEqual((200, True), (status, "Log out" in page), page)
        place = "/page/SecondPage"
        status, page = ann.send(f"{place}/edit", f"{place}/save", content="It rains.")
        self.assertIn("SecondPage is saved.", page)
        self.assertIn("<p>It rains.</p>", Browser(url).get("/page/SecondPage")[1])
        self.assertIn(">SecondPage<", Browser(url).get("/pages?q=RAINS")[1])
        return ann

    def test_cogen_tells_who_looks_at_a_page_who_edits_it(self):
        url = self.start(BIN / "paster", "serve", "development.ini")
        ann = self.write(url)
        told = []
        poll = threading.Thread(
            target=lambda: told.append(Browser(url).get("/page/FrontPage/editors")[1])
        )
        poll.start()
        # Until it is held: it answers nothing of its own for 25 seconds.
        poll.join(0.5)
        self.assertTrue(poll.is_alive())
        ann.get("/page/FrontPage/edit")
        poll.join(20)
        self.assertEqual([{"editors": ["ann"]}], [json.loads(each) for each in told])

    def test_waitress_does_all_but_wait(self):
        ini = self.folder / "development.ini"
        ini.write_text(ini.read_text().replace("egg:cogen#http", "egg:waitress#main"))
        self.does_all_but_wait(BIN / "paster", "serve", "development.ini")

    def test_gunicorn_does_all_but_wait(self):
        options = ["--paste", "development.ini", "--bind", "127.0.0.1:{port}"]
        self.does_all_but_wait(BIN / "gunicorn", *options)

    def does_all_but_wait(self, *command):
        url = self.start(*command)
        self.write(url)
        status, page = Browser(url).get("/page/FrontPage/editors")
        self.assertEqual((501, True), (status, "takes cogen's server" in page), page)
