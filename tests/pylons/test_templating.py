"""The template engines, what they have in common, and what is kept of them."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

import genshi.template
import jinja2
from beaker.cache import CacheManager, cache_managers
from mako.exceptions import TemplateLookupException, TopLevelLookupException
from markupsafe import Markup, escape

from pylons import templating
from pylons._context import OutsideRequest
from tests.pylons.support import ROOT, get, make_app

FOLDER = os.path.join(ROOT, "templates")


class EngineTests(unittest.TestCase):
    def setUp(self):
        self.app = make_app()
        self.globals = self.app.config["pylons.app_globals"]
        loader = jinja2.FileSystemLoader(FOLDER)
        self.globals.jinja2_env = jinja2.Environment(loader=loader, autoescape=True)
        self.globals.genshi_loader = genshi.template.TemplateLoader([FOLDER])
        self.globals.cache = CacheManager()

    def get(self, action, **extra):
        return get(self.app, f"/texts/{action}", **extra).content.decode().strip()

    def test_each_has_the_names_of_pylons_and_the_callers_and_escapes(self):
        self.assertEqual("Good day &lt;you&gt; <b>", self.get("render/mako"))
        self.assertEqual("Good day &lt;you&gt; <b> /items/1", self.get("render/jinja2"))
        self.assertEqual("<p>Good day &lt;you&gt; <b>&lt;b&gt;</b></p>", self.get("render/genshi"))

    def test_what_is_rendered_is_not_escaped_again(self):
        seen = []
        render = templating.render_mako
        with mock.patch(
            "tests.pylons.example.controllers.texts.render_mako",
            lambda *args: seen.append(render(*args)) or seen[0],
        ):
            page = self.get("render/mako")
        self.assertEqual(page, str(escape(seen[0])).strip())
        self.assertIsInstance(seen[0], Markup)

    def test_a_def_is_rendered_with_its_arguments(self):
        self.assertEqual("&lt;ALL&gt;!", self.get("render_def/shout"))

    def test_what_is_not_there_is_named(self):
        for action, kind, told in (
            ("render/mako", TopLevelLookupException, "Can't locate template for uri '.*no.x'"),
            (
                "render/jinja2",
                jinja2.TemplateNotFound,
                "app_globals.jinja2_env has no template 'no.x'",
            ),
            ("render/genshi", genshi.template.TemplateNotFound, 'Template "no.x" not found'),
            ("render_def/no", AttributeError, "greeting.mako has no <%def> of the name 'no'"),
        ):
            with self.subTest(action), self.assertRaisesRegex(kind, told):
                self.get(action, QUERY_STRING="name=no.x")

    def test_no_name_leads_out_of_the_folders(self):
        outside = "../controllers/texts.py"
        self.assertTrue(os.path.isfile(os.path.join(FOLDER, outside)))
        for engine, kind in (
            ("mako", TemplateLookupException),
            ("jinja2", jinja2.TemplateNotFound),
            ("genshi", genshi.template.TemplateNotFound),
        ):
            for name in (outside, f"x/../{outside}", os.path.join(FOLDER, outside)):
                with self.subTest(f"{engine} {name}"), self.assertRaises(kind):
                    self.get(f"render/{engine}", QUERY_STRING=f"name={name}")

    def test_an_engine_that_is_not_set_up_is_named(self):
        for name, engine in (
            ("mako_lookup", "mako"),
            ("jinja2_env", "jinja2"),
            ("genshi_loader", "genshi"),
        ):
            delattr(self.globals, name)
            with self.assertRaisesRegex(
                AttributeError, f"app_globals has no {name}: load_environment"
            ):
                self.get(f"render/{engine}")

    def test_without_jinja2_one_line_asks_for_it(self):
        with (
            mock.patch.dict("sys.modules", {"jinja2": None}),
            self.assertRaisesRegex(ImportError, "render_jinja2 needs Jinja2: pip install Jinja2$"),
        ):
            self.get("render/jinja2")

    def test_the_names_of_pylons_win(self):
        seen = {}
        with mock.patch.object(templating, "pylons_globals", lambda: {"c": 1}):
            seen.update(templating._names({"c": 2, "d": 3}))
        self.assertEqual({"c": 1, "d": 3}, seen)

    def test_what_was_rendered_is_kept_by_name_and_key(self):
        def page(key, name):
            return self.get(f"render_kept/{key}", QUERY_STRING=f"name={name}")

        self.assertEqual("Good day one", page("a", "one"))
        self.assertEqual("Good day one", page("a", "two"))
        self.assertEqual("Good day two", page("b", "two"))

    def test_it_is_kept_in_a_file_unless_a_type_is_named(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.addCleanup(cache_managers.clear)  # whose locks are in that folder
        self.globals.cache = CacheManager(data_dir=folder)
        pages = [self.get("render_forever", QUERY_STRING=f"name={name}") for name in ("one", "two")]
        self.assertEqual(["Good day one"] * 2, pages)
        self.assertIn("container_dbm", os.listdir(folder))

    def test_a_file_that_cannot_be_read_is_made_anew(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.addCleanup(cache_managers.clear)  # whose locks are in that folder
        self.globals.cache = CacheManager(data_dir=folder)
        self.get("render_forever", QUERY_STRING="name=one")
        for path in pathlib.Path(folder, "container_dbm").rglob("*"):
            if path.is_file():
                path.write_bytes(b"no database" * 400)
        with self.assertLogs("pylons.cache", "WARNING") as logs:
            for _ in range(2):
                page = self.get("render_forever", QUERY_STRING="name=two")
                self.assertEqual("Good day two", page)
        self.assertEqual(1, len(logs.records))

    def test_a_cache_has_to_be_there(self):
        del self.globals.cache
        with self.assertRaisesRegex(OutsideRequest, "pylons.cache needs environ"):
            self.get("render_kept/a", QUERY_STRING="name=x")
