import unittest

from tests.pylons.support import get, make_app


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
