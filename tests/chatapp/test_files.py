"""The page's files: below their version, for whatever path the chat is mounted at."""

import gzip
import re
from urllib.parse import urljoin

from tests.chatapp.support import ChatCase

MODULE = re.compile(rb"""(?:from|import) ?['"](\./[^'"]+)['"]""")
IMAGE = re.compile(rb'url\("([^":]+)"\)')
FOR_EVER = "max-age=31536000, public, immutable"


class FilesTests(ChatCase):
    def setUp(self):
        self.start()
        self.ann = self.person()

    def files(self, page):
        """The paths that the page at `/` names, and those that they name."""
        named = re.findall(r'(?:src|href)="([^"]+\.(?:js|css|svg))"', page)
        found = {urljoin("/", path) for path in named}
        todo = list(found)
        while todo:
            path = todo.pop()
            folder = path.rpartition("/")[0]
            body = self.ann.ask("GET", path).body
            for name in MODULE.findall(body) + IMAGE.findall(body):
                inner = f"{folder}/{name.decode().removeprefix('./')}"
                if inner not in found:
                    found.add(inner)
                    todo.append(inner)
        return found

    def test_all_of_them_are_below_the_version_and_kept_for_ever(self):
        page = self.ann.ask("GET", "/").body.decode()
        version = re.search(r'data-version="(\w+)"', page)[1]
        paths = self.files(page)
        self.assertGreater(len(paths), 8)
        for path in paths:
            self.assertTrue(path.startswith(f"/static/{version}/"), path)
            answer = self.ann.ask("GET", path)
            self.assertEqual((200, FOR_EVER), (answer.status, answer.header("Cache-Control")))
            self.assertEqual("nosniff", answer.header("X-Content-Type-Options"))

    def test_they_go_compressed(self):
        page = self.ann.ask("GET", "/").body.decode()
        whole = sent = 0
        for path in self.files(page):
            whole += len(self.ann.ask("GET", path).body)
            answer = self.ann.ask("GET", path, Accept_Encoding="gzip, deflate, br")
            sent += len(answer.body)
            if answer.header("Content-Encoding"):
                self.assertEqual(self.ann.ask("GET", path).body, gzip.decompress(answer.body))
        self.assertLess(sent, whole / 2)

    def test_the_page_goes_compressed_to_who_says_that_gzip_is_taken(self):
        page = self.ann.ask("GET", "/")
        for who in (self.ann, self.person()):  # known, and new
            packed = who.ask("GET", "/", Accept_Encoding="gzip, deflate, br")
            self.assertEqual("gzip", packed.header("Content-Encoding"))
            self.assertEqual(str(len(packed.body)), packed.header("Content-Length"))
            self.assertLess(len(packed.body), len(page.body) / 2)
            self.assertEqual(page.body, gzip.decompress(packed.body))
        for takes in ({}, {"Accept_Encoding": "br"}, {"Accept_Encoding": "gzip;q=0, identity"}):
            whole = self.ann.ask("GET", "/", **takes)
            self.assertEqual((page.body, None), (whole.body, whole.header("Content-Encoding")))
            self.assertEqual("Accept-Encoding", whole.header("Vary"))

    def test_a_page_of_another_version_finds_what_there_is(self):
        answer = self.ann.ask("GET", "/static/0123456789ab/chat.js")
        self.assertEqual((200, "no-cache"), (answer.status, answer.header("Cache-Control")))

    def test_an_error_has_its_files_too(self):
        page = self.ann.ask("GET", "/nowhere", Accept="text/html").body.decode()
        for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            self.assertEqual(200, self.ann.ask("GET", path).status, path)


class MountedTests(ChatCase):
    @staticmethod
    def wrapped(app):
        def below(environ, start_response):
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/te am", environ["PATH_INFO"][6:]
            return app(environ, start_response)

        return below

    def test_below_a_prefix_all_paths_lead_there(self):
        self.start()
        ann = self.person()
        for path in ("/te%20am/", "/te%20am/nowhere"):
            page = ann.ask("GET", path, Accept="text/html").body.decode()
            paths = re.findall(r'(?:src|href)="([^"#]*)"', page)
            self.assertGreater(len(paths), 3)
            for each in paths:
                whole = urljoin(path, each)
                self.assertTrue(whole.startswith("/te%20am/"), each)
                self.assertEqual(200, ann.ask("GET", whole).status, each)
        self.assertIn('data-base="/te%20am"', ann.ask("GET", "/te%20am/").body.decode())

    def test_the_page_names_its_files_relatively_for_a_proxy_with_a_prefix_of_its_own(self):
        self.start()
        page = self.person().ask("GET", "/te%20am/").body.decode()
        self.assertEqual([], re.findall(r'(?:src|href)="(/[^"]*)"', page))


class ScriptTests(ChatCase):
    def test_all_modules_of_the_page_come_in_one_answer(self):
        self.start()
        ann = self.person()
        page = ann.ask("GET", "/").body.decode()
        scripts = re.findall(r'<script[^>]* src="static/\w+/([^"]+)"', page)
        self.assertEqual(["page.js", "floor.js"], scripts)
        self.assertEqual([], MODULE.findall(ann.ask("GET", "/page.js").body))
