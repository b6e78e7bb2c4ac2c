import contextlib
import io
import sys
import unittest
from unittest import mock

from pylons.middleware import ErrorDocuments, StaticJavascripts, error_document_template, media_path
from pylons.util import (
    AttribSafeContextObj,
    ContextObj,
    PylonsContext,
    PylonsTemplate,
    call_wsgi_application,
    class_name_from_module_name,
    resolve_dotted,
)
from tests.pylons.support import get, make_app, make_environ


class NameTests(unittest.TestCase):
    def test_a_module_has_the_name_of_its_class(self):
        for name, expected in (
            ("with-dashes", "WithDashes"),
            ("with_underscores", "WithUnderscores"),
            ("oneword", "Oneword"),
        ):
            self.assertEqual(expected, class_name_from_module_name(name))

    def test_a_dotted_name_is_an_object(self):
        self.assertIs(ContextObj, resolve_dotted("pylons.util:ContextObj"))
        with self.assertRaises(ModuleNotFoundError):
            resolve_dotted("pylons.nowhere:ContextObj")


class TemplateTests(unittest.TestCase):
    def test_it_tells_what_a_new_project_lacks(self):
        values = {"template_engine": "genshi", "sqlalchemy": True}
        lacking = {"genshi": None, "sqlalchemy": None}
        for absent, told in ((lacking, "pip install Genshi SQLAlchemy\n"), ({}, "")):
            with (
                mock.patch.dict(sys.modules, absent),
                contextlib.redirect_stdout(io.StringIO()) as said,
            ):
                PylonsTemplate("pylons").post(None, "", values)
            self.assertEqual(told, said.getvalue().partition(": ")[2])


class NamespaceTests(unittest.TestCase):
    def test_the_strict_one_names_what_is_missing(self):
        with self.assertRaisesRegex(AttributeError, r"'nick'.*c\.nick"):
            _ = ContextObj().nick

    def test_the_lax_one_is_empty_where_nothing_was_set(self):
        namespace = AttribSafeContextObj()
        namespace.a = 1
        self.assertEqual((1, ""), (namespace.a, namespace.b))
        self.assertFalse(hasattr(namespace, "__html__"))

    def test_they_show_what_they_have(self):
        namespace = ContextObj()
        namespace.b, namespace.a, namespace._c = "x" * 100, 1, 2
        expected = rf"<pylons.util.ContextObj at 0x\w+ a=1, b='{'x' * 59}\.\.\.xxxx'>"
        self.assertRegex(repr(namespace), expected)

    def test_the_configuration_says_which_one_a_request_has(self):
        app = make_app(**{"pylons.strict_tmpl_context": "false"})
        self.assertEqual(b"''", get(app, "/hello/lax").content)
        with self.assertRaisesRegex(AttributeError, "tmpl_context has no 'nothing'"):
            get(make_app(), "/hello/lax")

    def test_the_arguments_of_an_action_are_there_too_if_that_is_configured(self):
        app = make_app(**{"pylons.tmpl_context_attach_args": "true"})
        self.assertEqual(b"7", get(app, "/hello/attached/7").content)

    def test_an_empty_one_takes_what_it_is_given(self):
        context = PylonsContext()
        context.request = 1
        self.assertEqual(1, context.request)


def app_that_writes(environ, start_response):
    write = start_response("200 OK", [("A", "b")])
    write(b"1")
    return [b"2"]


def app_that_starts_late(environ, start_response):
    yield b""
    start_response("202 Accepted", [])
    yield b"late"


def app_that_failed(environ, start_response):
    try:
        raise ValueError("no")
    except ValueError as error:
        start_response("500 No", [], (type(error), error, error.__traceback__))
    return [b""]


class CallingTests(unittest.TestCase):
    def test_what_an_application_answers_is_returned(self):
        self.assertEqual(
            ("200 OK", [("A", "b")], [b"1", b"2"]),
            call_wsgi_application(app_that_writes, make_environ("/")),
        )
        self.assertEqual(
            ("202 Accepted", [], [b"", b"late"]),
            call_wsgi_application(app_that_starts_late, make_environ("/")),
        )

    def test_its_exception_is_raised_or_returned(self):
        with self.assertRaisesRegex(ValueError, "no"):
            call_wsgi_application(app_that_failed, make_environ("/"))
        *_, exc_info = call_wsgi_application(app_that_failed, make_environ("/"), True)
        self.assertIs(ValueError, exc_info[0])


class PageTests(unittest.TestCase):
    def test_the_template_escapes_what_is_no_literal(self):
        page = error_document_template % {"prefix": "/a", "code": "404", "message": "<b>"}
        self.assertIn('href="/a/error/style/black.css"', page)
        self.assertIn("&lt;b&gt;", page)
        self.assertNotIn("<b>", page)

    def test_its_files_are_there(self):
        for name in ("style/black.css", "style/orange.css", "img/favicon.ico"):
            with open(f"{media_path}/{name}", "rb") as file:
                self.assertTrue(file.read())

    def test_error_documents_of_pylons_0_9_are_forwarded_to(self):
        def app(environ, start_response):
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"{environ['PATH_INFO']} {environ['QUERY_STRING']}".encode()]

        got = get(ErrorDocuments(app, {"debug": "false"}), "/nowhere")
        self.assertEqual("404 Not Found", got.status)
        self.assertEqual(b"/error/document message=Not+Found&code=404", got.content)

    def test_the_javascripts_of_pylons_0_9_are_not_found(self):
        self.assertEqual("404 Not Found", get(StaticJavascripts(), "/javascripts/a.js").status)
