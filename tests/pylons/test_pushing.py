"""Objects in place of what the names stand for, as tests and Paste's registry push them."""

import threading
import unittest
from contextvars import copy_context

from paste.registry import Registry, RegistryManager

import pylons
from pylons._context import OutsideRequest
from tests.pylons.support import get, make_app, make_config


def in_a_context(test):
    return lambda self: copy_context().run(test, self)


class Outside(unittest.TestCase):
    @in_a_context
    def test_what_was_pushed_last_is_what_the_name_stands_for(self):
        for name in ("request", "response", "session", "cache", "tmpl_context", "url", "h"):
            proxy = getattr(pylons, name)
            first, last = {"n": 1}, {"n": 2}
            proxy._push_object(first)
            proxy._push_object(last)
            self.assertIs(last, proxy._current_obj(), name)
            self.assertEqual((2, {"n": 2}.keys()), (proxy["n"], proxy.keys()))
            self.assertEqual([first, last], proxy._object_stack())
            proxy._pop_object(last)
            self.assertIs(first, proxy._current_obj())
            proxy._pop_object()
            with self.assertRaises(OutsideRequest):
                proxy._current_obj()

    @in_a_context
    def test_config_and_app_globals_go_before_those_that_were_loaded(self):
        make_config()
        pylons.config._push_object({"pylons.app_globals": "others", "a": 1})
        self.assertEqual(1, pylons.config["a"])
        pylons.app_globals._push_object({"b": 2})
        self.assertEqual(2, pylons.app_globals["b"])
        pylons.config._pop_object()
        self.assertNotIn("a", pylons.config)

    @in_a_context
    def test_one_name_leaves_the_others_alone(self):
        pylons.url._push_object(str)
        self.assertEqual("1", pylons.url(1))
        with self.assertRaisesRegex(OutsideRequest, "pylons.request was used outside"):
            _ = pylons.request.environ
        self.assertEqual("<pylons.request, outside a request>", repr(pylons.request))

    @in_a_context
    def test_popping_another_object_or_none_at_all_is_an_error(self):
        with self.assertRaisesRegex(AssertionError, "pylons.url: no object has been pushed"):
            pylons.url._pop_object()
        pylons.url._push_object(str)
        with self.assertRaisesRegex(AssertionError, "was pushed last, not"):
            pylons.url._pop_object(int)

    @in_a_context
    def test_another_thread_does_not_see_it(self):
        seen = []
        pylons.session._push_object({"a": 1})
        thread = threading.Thread(target=lambda: seen.append(pylons.session._object_stack()))
        thread.start()
        thread.join()
        self.assertEqual([[]], seen)

    def test_outside_a_request_a_name_is_a_type_error_as_with_pastes_registry(self):
        with self.assertRaises(TypeError):
            pylons.request._current_obj()
        with self.assertRaises(TypeError):
            _ = pylons.session["a"]


class Inside(unittest.TestCase):
    def setUp(self):
        self.app = make_app()

    @in_a_context
    def test_the_request_goes_before_what_was_pushed_outside(self):
        pylons.request._push_object("not this")
        self.assertEqual(b"7 item /items/7", get(self.app, "/items/7").content)
        self.assertEqual("not this", pylons.request._current_obj())

    def test_an_action_may_push_and_it_is_gone_with_the_request(self):
        self.assertEqual(b"pushed, own", get(self.app, "/hello/pushes").content)
        self.assertEqual([], pylons.tmpl_context._object_stack())

    def test_pastes_registry_may_replace_a_name(self):
        app = RegistryManager(self.app)
        self.assertEqual(b"registered", get(app, "/hello/registers").content)
        self.assertEqual([], pylons.url._object_stack())

    @in_a_context
    def test_pastes_registry_works_without_a_request(self):
        registry = Registry()
        registry.prepare()
        registry.register(pylons.session, {"a": 1})
        self.assertEqual(1, pylons.session["a"])
        registry.cleanup()
        self.assertEqual([], pylons.session._object_stack())
