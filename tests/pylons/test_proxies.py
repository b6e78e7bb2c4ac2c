import inspect
import types
import unittest

import pylons
from pylons import _proxy, configuration, controllers, decorators, middleware, templating, wsgiapp
from pylons._context import OutsideRequest, RequestState, current
from pylons._namespaces import ContextObj
from pylons.controllers import core, util
from pylons.decorators import rest
from tests.pylons.support import get, make_app, make_config, make_environ


class Outside(unittest.TestCase):
    def test_each_name_says_that_it_needs_a_request(self):
        for name in ("request", "response", "session", "cache", "tmpl_context", "url"):
            with self.assertRaisesRegex(OutsideRequest, rf"pylons\.{name} was used outside"):
                _ = getattr(pylons, name).something

    def test_tools_may_look_a_name_over(self):
        self.assertFalse(inspect.isclass(pylons.request))
        self.assertEqual(repr(pylons.request), "<pylons.request, outside a request>")
        self.assertFalse(hasattr(pylons.session, "__wrapped__"))

    def test_config_and_app_globals_are_those_loaded_last(self):
        config = make_config(extra="1")
        self.assertEqual(pylons.config["extra"], "1")
        self.assertIs(pylons.config["pylons.paths"], config["pylons.paths"])
        self.assertEqual(pylons.app_globals.title, "Example")

    def test_config_within_a_request_is_that_of_its_application(self):
        app = make_app()
        make_config()["pylons.app_globals"].title = "Another"
        self.assertTrue(get(app, "/hello/parts", **{"beaker.cache": 1}).content.startswith(b"Exam"))


class Inside(unittest.TestCase):
    def setUp(self):
        self.config = make_config()
        environ = make_environ("/here", **{"beaker.session": {"a": 1}})
        self.state = RequestState(environ, lambda *_: None, self.config)
        token = current.set(self.state)
        self.addCleanup(current.reset, token)

    def test_every_operation_goes_to_the_object(self):
        session = pylons.session
        session["b"] = 2
        del session["a"]
        self.assertEqual((list(session), len(session), "b" in session), (["b"], 1, True))
        self.assertEqual((session["b"], bool(session), str(session)), (2, True, "{'b': 2}"))
        pylons.c.name = "x"
        self.assertEqual(self.state.tmpl_context.name, "x")
        del pylons.c.name
        self.assertIn("path", dir(pylons.request))

    def test_a_missing_template_variable_is_named(self):
        with self.assertRaisesRegex(AttributeError, r"'nick'.*c\.nick"):
            _ = ContextObj().nick

    def test_environ_is_had_without_a_webob_request(self):
        self.assertIs(pylons.request.environ, self.state.environ)
        self.assertIsNone(self.state._request)
        self.assertEqual(pylons.request.path, "/here")
        self.assertIs(pylons.request.environ, self.state.environ)

    def test_the_objects_can_be_told_by_their_class(self):
        self.assertIsInstance(pylons.request, util.Request)
        self.assertIsInstance(pylons.response, util.Response)


class PublicSurface(unittest.TestCase):
    MODULES = (
        pylons,
        configuration,
        controllers,
        core,
        util,
        decorators,
        rest,
        middleware,
        templating,
        wsgiapp,
    )

    def test_all_is_what_the_module_defines_without_an_underscore(self):
        for module in self.MODULES:
            own = {
                name
                for name, value in vars(module).items()
                if not name.startswith("_")
                and isinstance(value, type | types.FunctionType)
                and value.__module__ == module.__name__
            }
            self.assertLessEqual(own, set(module.__all__), module.__name__)
            for name in module.__all__:
                self.assertTrue(hasattr(module, name), f"{module.__name__}.{name}")

    def test_the_names_of_pylons(self):
        names = ("app_globals", "cache", "config", "request", "response", "session")
        more = ("Request", "Response", "c", "g", "h", "tmpl_context", "url")
        self.assertLessEqual({*names, *more}, set(pylons.__all__))
        self.assertIs(pylons.c, pylons.tmpl_context)
        self.assertIsInstance(_proxy.request, _proxy.Proxy)
