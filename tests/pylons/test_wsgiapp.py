import unittest

import webob
from beaker.middleware import SessionMiddleware
from paste.registry import RegistryManager, restorer
from webtest import TestApp

import pylons
from pylons.wsgiapp import PylonsApp
from tests.pylons.support import get, make_app, make_config


class Routing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = make_app()

    def get_controller(self, name):
        route = ((), {"controller": name, "action": "index"})
        return get(self.app, "/", **{"wsgiorg.routing_args": route})

    def test_what_has_no_route_is_not_found(self):
        for path in ("/", "/hello", "/nope/index", "/hello/index/1/2"):
            self.assertEqual(get(self.app, path).status, "404 Not Found", path)

    def test_a_controller_name_reaches_no_other_module(self):
        names = (
            "nope",
            "empty",
            "../hello",
            "..hello",
            "_hello",
            "hello.py",
            "",
            "/hello",
            "os.path",
        )
        for name in names:
            self.assertEqual(self.get_controller(name).status, "404 Not Found", name)

    def test_a_module_without_its_controller_is_named_once(self):
        app = make_app()
        route = ((), {"controller": "empty", "action": "index"})
        with self.assertLogs("pylons.wsgiapp", "WARNING") as logs:
            for _ in range(3):
                get(app, "/", **{"wsgiorg.routing_args": route})
        [record] = logs.records
        self.assertRegex(
            record.getMessage(), r"^404 for empty: .*/controllers/empty\.py has no class EmptyContr"
        )

    def test_a_controller_in_a_package_is_found_by_convention(self):
        self.assertEqual(self.get_controller("admin/user-list").content, b"users")
        self.assertEqual(get(self.app, "/admin/user_list/index").content, b"users")

    def test_an_error_in_a_controller_module_is_no_404(self):
        with self.assertRaisesRegex(ModuleNotFoundError, "a_module_that_is_not_there"):
            self.get_controller("broken")

    def test_names_that_do_not_exist_are_not_remembered(self):
        for n in range(50):
            self.get_controller(f"nope{n}")
        self.assertFalse([name for name in self.app.controller_classes if name.startswith("nope")])

    def test_another_method_is_405_with_the_methods_allowed(self):
        got = get(self.app, "/write")
        self.assertEqual(got.status, "405 Method Not Allowed")
        self.assertEqual(got.header("Allow"), ["POST, PUT"])
        got = get(self.app, "/read", "DELETE")
        self.assertEqual(got.header("Allow"), ["GET, HEAD"])

    def test_the_method_chooses_the_route(self):
        self.assertEqual(get(self.app, "/write", "POST").content, "hällo".encode())
        self.assertEqual(get(self.app, "/write", "PUT").content, b"saved")

    def test_head_is_answered_where_get_is(self):
        got = get(self.app, "/read", "HEAD")
        self.assertEqual((got.status, got.content), ("200 OK", b""))

    def test_a_redirect_route(self):
        got = get(self.app, "/old/9")
        self.assertEqual(got.status, "301 Moved Permanently")
        self.assertEqual(got.header("Location"), ["http://127.0.0.1/items/9"])

    def test_a_path_is_utf8(self):
        path = "/room/caf\u00e9".encode().decode("latin-1")
        self.assertIn("café".encode(), get(self.app, path).content.decode().encode())
        got = get(self.app, "/room/\xff")
        self.assertEqual(got.status, "400 Bad Request")

    def test_a_route_found_by_a_middleware_is_taken(self):
        route = ((), {"controller": "hello", "action": "args", "id": "x"})
        got = get(self.app, "/elsewhere", **{"wsgiorg.routing_args": route})
        self.assertEqual(got.content, b"x none /elsewhere")

    def test_a_dotted_name_is_for_routes_alone(self):
        app = make_app()
        name = "tests.pylons.example.controllers.admin.user_list:UserListController"
        route = ((), {"controller": name, "action": "index"})
        extra = {"wsgiorg.routing_args": route}
        self.assertEqual("404 Not Found", get(app, "/", **extra).status)
        app.config["routes.map"].connect("/dotted", controller=name, action="index")
        self.assertEqual(b"users", get(app, "/", **extra).content)
        self.assertEqual("UserListController", app.find_controller(name).__name__)

    def test_a_module_may_name_its_controller(self):
        self.assertEqual(b"named", self.get_controller("named").content)

    def test_a_responder_is_called_with_the_request(self):
        app = make_app()
        respond = lambda request: webob.Response(request.path)  # noqa: E731
        route = ((), {"responder": respond})
        self.assertEqual(b"/here", get(app, "/here", **{"wsgiorg.routing_args": route}).content)

    def test_the_configuration_is_that_of_the_process_if_none_is_given(self):
        config = make_config()
        self.assertIs(config, PylonsApp().config)

    def test_nothing_returned_is_named(self):
        route = ((), {"controller": lambda environ, start_response: None})
        with self.assertRaisesRegex(TypeError, "No content returned by controller.*lambda"):
            get(self.app, "/", **{"wsgiorg.routing_args": route})


class Steps(PylonsApp):
    """Each step is told, and may be overridden with the arguments of Pylons 1.0."""

    def __init__(self, config):
        super().__init__(config)
        self.taken = []

    def setup_app_env(self, environ, start_response):
        self.taken.append("setup_app_env")
        super().setup_app_env(environ, start_response)

    def register_globals(self, environ):
        self.taken.append("register_globals")
        super().register_globals(environ)

    def load_test_env(self, environ):
        self.taken.append("load_test_env")
        super().load_test_env(environ)

    def resolve(self, environ, start_response):
        self.taken.append("resolve")
        return super().resolve(environ, start_response)

    def find_controller(self, controller):
        self.taken.append("find_controller")
        return super().find_controller(controller)

    def dispatch(self, controller, environ, start_response):
        self.taken.append("dispatch")
        return super().dispatch(controller, environ, start_response)


class Overriding(unittest.TestCase):
    def test_the_steps_are_taken_in_their_order(self):
        app = Steps(make_config())
        testing = {}
        extra = {"paste.testing_variables": testing}
        self.assertEqual(b"7 item /items/7", get(RegistryManager(app), "/items/7", **extra).content)
        steps = "setup_app_env register_globals load_test_env resolve find_controller dispatch"
        self.assertEqual(steps.split(), app.taken)
        self.assertEqual("/items/7", testing["req"].path)


class TestingVariables(unittest.TestCase):
    def test_a_test_finds_the_objects_of_the_request_in_webtests_response(self):
        config = make_config()
        config["pylons.h"] = "helpers"
        app = TestApp(SessionMiddleware(PylonsApp(config), {"session.type": "memory"}))
        got = app.get("/hello/keeps")
        self.assertEqual(("kept", 1), (got.c.mark, got.session["n"]))
        self.assertIs(got.c, got.tmpl_context)
        self.assertIs(config["pylons.app_globals"], got.g)
        self.assertIs(got.g, got.app_globals)
        self.assertEqual(("helpers", "/hello/keeps"), (got.h, got.req.path))
        self.assertIs(config, got.config)
        self.assertEqual(b"kept", got.response.body)
        self.assertEqual(b"own", app.get("/hello/webob_response").response.body)

    def test_a_test_may_keep_a_request_and_bring_its_objects_back(self):
        app = TestApp(SessionMiddleware(PylonsApp(make_config()), {"session.type": "memory"}))
        app.get("/hello/keeps")
        number = int(app.get("/_test_vars").body)
        with self.assertRaises(TypeError):
            _ = pylons.session["n"]
        restorer.restoration_begin(number)
        self.addCleanup(restorer.restoration_end)
        self.assertEqual(1, pylons.session["n"])
        self.assertEqual("/_test_vars", pylons.request.path)
        restorer.restoration_end()
        with self.assertRaises(TypeError):
            _ = pylons.session["n"]
