"""The reference of environ and of the hooks names all that there is, and nothing else."""

import dataclasses
import inspect
import re
import unittest

from benchmarks.harness.commands import CommandServer
from chatapp.directory.directory import DirectoryObserver
from chatapp.model.log import LogObserver
from cogen.web.exchanges.body import Input
from cogen.web.extensions import Wsgi
from cogen.web.life import Life
from cogen.web.peers import Peers
from tests.docs.pages import DOCS

PAGE = (DOCS / "environ.md").read_text()
KEYS = """
def keys(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [key.encode() + b"\\n" for key in environ if not key.startswith("HTTP_")]
"""
# Those of PEP 3333, and of CGI, which it takes them from.
STANDARD = {
    "PATH_INFO", "QUERY_STRING", "REQUEST_METHOD", "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT",
    "SERVER_PROTOCOL", "wsgi.errors", "wsgi.file_wrapper", "wsgi.input", "wsgi.run_once",
    "wsgi.url_scheme", "wsgi.version",
}  # fmt: skip


def section(title):
    """The rows of the first table below a title: the text of each cell."""
    text = PAGE[PAGE.index(f"## {title}\n") :]
    return table(text)


def table(text):
    [found] = re.findall(r"^\|.*\n\|---.*\n((?:\|.*\n)+)", text, re.MULTILINE)[:1]
    return [row.strip("| ").split(" | ") for row in found.splitlines()]


def names(rows):
    return [name for row in rows for name in re.findall(r"`(?:await )?([\w.]+)", row[0])]


def methods(table_of):
    found = vars(table_of).items()
    return {name for name, each in found if name[0] != "_" and inspect.isfunction(each)}


class KeyTests(unittest.TestCase):
    def found(self, **options):
        server = CommandServer("app:keys", **options)
        server.write("one", KEYS)
        with server, server.connect() as client:
            return set(client.get("/").body.decode().split())

    def test_the_tables_have_the_keys_of_a_request(self):
        rows = section("Keys of cogen")
        others = set(names(section("Other keys")))
        threads = {name for row in rows if "yes" in row[1] for name in names([row])}
        loop = {name for row in rows if "yes" in row[2] for name in names([row])}
        self.assertEqual(threads | others, self.found() - STANDARD)
        self.assertEqual(loop | others, self.found(threads=0) - STANDARD)


class HookTests(unittest.TestCase):
    def test_the_tables_have_the_attributes(self):
        wsgi = {
            "call", "content_length", "exception", "last", "name", "operation", "result",
            "trailers",
        }  # fmt: skip
        self.assertEqual(wsgi, set(names(section("cogen.wsgi"))))
        self.assertLessEqual(wsgi, set(dir(Wsgi)))
        self.assertEqual(methods(Input), set(names(section("cogen.input"))))
        for row in section("cogen.input"):
            name, signature = re.match(r"`(\w+)\((.*)\)`", row[0]).groups()
            parameters = list(inspect.signature(getattr(Input, name)).parameters.values())[1:]
            told = ", ".join(f"{each.name}={each.default}" for each in parameters)
            self.assertEqual(told, signature)

    def test_the_table_has_the_hooks_of_a_life_in_its_order(self):
        fields = [field.name for field in dataclasses.fields(Life)]
        self.assertEqual(fields, names(section("Life")))

    def test_the_table_has_what_peers_can_do(self):
        public = methods(Peers) - {"called"}  # by the router alone
        self.assertEqual(public, set(names(section("Peers"))))

    def test_the_tables_have_what_observers_hear(self):
        for observer in (LogObserver, DirectoryObserver):
            rows = table(PAGE[PAGE.index(f"| `{observer.__name__}`") :])
            self.assertEqual(methods(observer), set(names(rows)))
