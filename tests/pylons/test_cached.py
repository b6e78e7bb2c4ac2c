"""`beaker_cache`: which calls are made, and what is kept of them."""

import pickle
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from beaker.cache import CacheManager, cache_managers
from beaker.middleware import CacheMiddleware

from pylons._context import OutsideRequest
from pylons.decorators.cache import create_cache_key
from tests.pylons.example.controllers.texts import TextsController
from tests.pylons.support import get, make_app

NAMESPACE = "tests.pylons.example.controllers.texts.TextsController"


class CacheTests(unittest.TestCase):
    def setUp(self):
        self.app = make_app()
        self.cache = self.app.config["pylons.app_globals"].cache = CacheManager()
        self.addCleanup(self.clear)
        self.clear()

    def clear(self):
        self.cache.get_cache(NAMESPACE, type="memory").clear()

    def get(self, action, **extra):
        return get(self.app, f"/texts/{action}", **extra)

    def test_an_action_is_called_once_for_its_arguments(self):
        one, two, other = self.get("kept/1"), self.get("kept/1"), self.get("kept/2")
        self.assertEqual(one.content, two.content)
        self.assertNotEqual(one.content, other.content)

    def test_the_status_and_the_named_headers_are_kept(self):
        for _ in range(2):
            got = self.get("kept/1")
            self.assertEqual("203 Non-Authoritative Information", got.status)
            self.assertEqual((["yes"], []), (got.header("X-Kept"), got.header("X-Lost")))
            self.assertEqual(["text/html; charset=utf-8"], got.header("Content-Type"))

    def test_the_key_may_be_one_argument_or_none_or_the_query_too(self):
        self.assertEqual(self.get("kept_id/1").content, self.get("kept_id/1").content)
        self.assertNotEqual(self.get("kept_id/1").content, self.get("kept_id/2").content)
        self.assertEqual(self.get("kept_once/1").content, self.get("kept_once/2").content)
        pages = {
            self.get("kept_query", QUERY_STRING=query).content for query in ("a=1", "a=2", "a=1")
        }
        self.assertEqual(2, len(pages))

    def test_a_default_is_an_argument_too(self):
        self.assertEqual(b"page 3 None", self.get("kept_part/3").content)

    def test_no_query_passes_for_an_argument(self):
        self.assertEqual(b"page 1 1", self.get("kept_page/1", QUERY_STRING="id=2&part=9").content)
        self.assertEqual(b"page 2 1", self.get("kept_page/2").content)
        self.assertEqual(b"page 1 2", self.get("kept_part/1", QUERY_STRING="id=2").content)
        self.assertEqual(b"page 2 None", self.get("kept_part/2").content)
        self.assertEqual(b"page 1 None", self.get("kept_part/1").content)
        self.assertEqual(b"page 1 3", self.get("kept_part/1", QUERY_STRING="id=3&?id=4").content)
        self.assertEqual(b"page 1 4", self.get("kept_part/1", QUERY_STRING="id=4").content)

    def test_no_value_passes_for_several(self):
        one = create_cache_key(len, {"a": "1 b=2", "b": "3"})
        other = create_cache_key(len, {"a": "1", "b": "2 b=3"})
        self.assertNotEqual(one, other)
        self.assertEqual("len a=1 b=2", create_cache_key(len, {"b": "2", "a": 1})[1])

    def test_the_response_is_kept_only_if_it_is_to_be(self):
        self.assertEqual(["now"], self.get("kept_once/1").header("X-Made"))
        self.assertEqual([], self.get("kept_once/1").header("X-Made"))

    def test_what_was_kept_before_the_start_may_be_forgotten(self):
        with mock.patch("beaker.container.time", SimpleNamespace(time=lambda: 1.0)):
            old = self.get("kept_since").content
        new = self.get("kept_since").content
        self.assertNotEqual(old, new)
        self.assertEqual(new, self.get("kept_since").content)

    def test_what_was_written_to_the_response_is_kept(self):
        one, two = self.get("kept_written").content, self.get("kept_written").content
        self.assertEqual(one, two)
        self.assertTrue(one.startswith(b"written "))

    def test_it_is_forgotten_by_its_key(self):
        one = self.get("kept/1").content
        namespace, key = create_cache_key(TextsController.kept, {"id": "1"})
        self.assertEqual((NAMESPACE, "kept id=1"), (namespace, key))
        self.assertEqual((namespace, key), create_cache_key(TextsController().kept, {"id": "1"}))
        self.cache.get_cache(namespace, type="memory").remove(key)
        self.assertNotEqual(one, self.get("kept/1").content)

    def test_classes_of_one_text_and_several_names_are_kept_apart(self):
        names = set()
        for name in ("One", "Two"):

            class Made:
                def action(self):
                    """Of a class that its maker names."""

            Made.__name__ = name
            names.add(create_cache_key(Made().action)[0].rpartition(".")[2])
        self.assertEqual({"One", "Two"}, names)

    def test_a_function_is_kept_by_its_module(self):
        self.assertEqual((__name__, "listed a=1 b=2"), create_cache_key(listed, {"b": 2, "a": 1}))

    def test_the_ini_may_turn_it_off(self):
        self.app.config["cache_enabled"] = "false"
        self.assertNotEqual(self.get("kept/1").content, self.get("kept/1").content)

    def test_the_middlewares_cache_is_taken_if_there_is_no_other(self):
        del self.app.config["pylons.app_globals"].cache
        with self.assertRaisesRegex(OutsideRequest, "pylons.cache needs environ"):
            self.get("kept/1")
        wrapped = CacheMiddleware(self.app, {"cache.type": "memory"})
        pages = {get(wrapped, "/texts/kept/1").content for _ in range(2)}
        self.assertEqual(1, len(pages))

    def test_what_cannot_be_kept_is_refused(self):
        with self.assertRaisesRegex(TypeError, "TextsController.kept_stream is a streaming action"):
            self.get("kept_stream")
        with self.assertRaisesRegex(KeyError, "kept_nothing was called without 'nothing', its key"):
            self.get("kept_nothing")


class FileTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.app = make_app()
        self.addCleanup(cache_managers.clear)  # whose locks are in that folder
        manager = CacheManager(data_dir=str(self.folder))
        self.app.config["pylons.app_globals"].cache = manager

    def get(self, **extra):
        return get(self.app, "/texts/kept_in_file", **extra).content

    def broken(self, content):
        [path] = self.folder.rglob("*.cache")
        path.write_bytes(content)
        return path

    def test_a_file_that_cannot_be_read_is_made_anew_and_one_line_tells(self):
        before = self.get()
        for content in (b"no pickle", b"", pickle.dumps({"a": 1})[:-3], b"cno.module\nname\n."):
            self.broken(content)
            with self.subTest(content), self.assertLogs("pylons.cache", "WARNING") as logs:
                made = self.get()
                self.assertEqual(made, self.get())
            self.assertNotEqual(before, made)
            before = made
            [line] = [record.getMessage() for record in logs.records]
            told = f"^the cache {NAMESPACE} cannot be read and begins anew: [A-Za-z]+Error: "
            self.assertRegex(line, told)

    def test_an_error_of_the_action_is_its_own_and_calls_it_once(self):
        with self.assertRaisesRegex(ValueError, "of the action itself"):
            self.get(QUERY_STRING="fail=1")
        number = int(self.get())
        self.broken(b"no pickle")
        with self.assertLogs("pylons.cache"), self.assertRaises(ValueError):
            self.get(QUERY_STRING="fail=1")
        self.assertEqual(number + 2, int(self.get()))

    def test_a_file_that_cannot_be_opened_is_left_alone(self):
        self.get()
        path = self.broken(b"")
        path.unlink()
        path.mkdir()
        with self.assertRaises(IsADirectoryError):
            self.get()
        self.assertTrue(path.is_dir())


def listed(a, b):
    """A function of a module."""
    return a, b
