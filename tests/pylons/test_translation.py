"""Texts in the language of the request, by catalogs that Babel makes."""

import os
import tempfile
import unittest
from gettext import NullTranslations

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from pylons import i18n, translator
from pylons._context import OutsideRequest
from pylons.controllers.util import Request
from pylons.i18n import translation
from tests.pylons.support import Exchange, get, make_app

DOMAIN = "tests.pylons.example"
TEXTS = {
    "de": {"Good day": "Guten Tag", ("%d file", "%d files"): ("%d Datei", "%d Dateien")},
    "fr": {"Good day": "Bonjour"},
    "pt_BR": {"Good day": "Bom dia"},
}


def write_catalogs(root):
    for language, texts in TEXTS.items():
        catalog = Catalog(locale=language, fuzzy=False)
        for text, translated in texts.items():
            catalog.add(text, translated)
        folder = os.path.join(root, "i18n", language, "LC_MESSAGES")
        os.makedirs(folder)
        with open(os.path.join(folder, f"{DOMAIN}.mo"), "wb") as file:
            write_mo(file, catalog)


class TranslationTests(unittest.TestCase):
    def setUp(self):
        self.root = self.enterContext(tempfile.TemporaryDirectory())
        write_catalogs(self.root)
        self.app = self.make_app()

    def make_app(self, **options):
        app = make_app(**options)
        app.config["pylons.paths"]["root"] = self.root
        return app

    def get(self, action, app=None, **extra):
        return get(app or self.app, f"/texts/{action}", **extra).content.decode()

    def test_texts_are_in_the_language_that_was_set(self):
        told = "Guten Tag|1 Datei|2 Dateien|Guten Tag|2 Dateien|Good day|['de']"
        self.assertEqual(told, self.get("translated/de"))
        self.assertTrue(self.get("translated/fr").startswith("Bonjour|1 file|2 files|"))

    def test_a_tag_of_http_names_a_locale(self):
        self.assertIn("Bom dia|", self.get("translated/pt-br"))
        self.assertIn("['pt-br']", self.get("translated/pt-br"))

    def test_later_languages_have_what_earlier_ones_lack(self):
        told = self.get("translated/fr,de")
        self.assertTrue(told.startswith("Bonjour|1 Datei|2 Dateien|"), told)
        told = self.get("translated/fr", QUERY_STRING="fallback=de")
        self.assertTrue(told.startswith("Bonjour|1 Datei|2 Dateien|"), told)
        self.assertIn("|1 file|", self.get("translated/fr"))

    def test_a_request_begins_in_the_language_of_the_ini_or_untranslated(self):
        self.assertEqual("Good day None", self.get("default"))
        german = self.make_app(lang="de")
        self.assertEqual("Guten Tag ['de']", self.get("default", german))
        self.assertTrue(self.get("translated/fr", german).startswith("Bonjour"))
        self.assertEqual("Guten Tag ['de']", self.get("default", german))

    def test_requests_that_take_turns_keep_their_languages(self):
        one = Exchange(self.app, "/texts/wait_between/de")
        two = Exchange(self.app, "/texts/wait_between/fr")
        for each in (one, two):
            self.assertEqual(b"", each.step())
        self.assertEqual("Guten Tag", one.run().content.decode())
        self.assertEqual("Bonjour", two.run().content.decode())

    def test_templates_translate(self):
        for language, text in (("de", "Guten Tag"), ("", "Good day")):
            page = self.get("render/mako", QUERY_STRING=f"lang={language}")
            self.assertTrue(page.startswith(text), page)

    def test_a_language_without_a_catalog_is_named_with_its_file(self):
        told = self.get("translated/xx")
        path = os.path.join(self.root, "i18n", "xx", "LC_MESSAGES", f"{DOMAIN}.mo")
        self.assertTrue(
            told.startswith(f"LanguageError: no catalog of xx: {path} is not there"), told
        )

    def test_a_path_is_no_language(self):
        for name in ("..", ".", "a b", "de%2F", "x" * 100):
            with self.assertRaisesRegex(i18n.LanguageError, "is no language"):
                i18n.set_lang(name, set_environ=False, pylons_config=self.app.config)

    def test_a_catalog_that_is_broken_is_a_language_error(self):
        path = os.path.join(self.root, "i18n", "de", "LC_MESSAGES", f"{DOMAIN}.mo")
        with open(path, "rb") as file:
            whole = file.read()
        for content in (b"no catalog", b"", whole[:4], whole[:19], whole[:-9], whole[:60]):
            with open(path, "wb") as file:
                file.write(content)
            with self.assertRaisesRegex(i18n.LanguageError, "cannot be read", msg=content):
                i18n.set_lang("de", set_environ=False, pylons_config=self.app.config)

    def test_translations_can_be_had_without_a_request(self):
        found = i18n.set_lang("de", set_environ=False, pylons_config=self.app.config)
        self.assertEqual("Guten Tag", found.ugettext("Good day"))
        self.assertEqual("2 Dateien", found.ungettext("%d file", "%d files", 2) % 2)
        none = translation._get_translator(None)
        self.assertIsInstance(none, NullTranslations)
        self.assertEqual("x", none.ugettext("x"))

    def test_outside_a_request_the_name_says_so(self):
        with self.assertRaisesRegex(OutsideRequest, "pylons.translator was used outside a request"):
            translator.gettext("x")

    def test_a_lazy_text_can_be_filled_and_escaped(self):
        text = translation.LazyString(lambda: "<%s {}>")
        self.assertEqual("<a {}>", text % "a")
        self.assertEqual("<%s b>", text.format("b"))
        self.assertEqual("&lt;%s {}&gt;", text.__html__())


class LanguagesTests(unittest.TestCase):
    def test_those_that_the_client_takes_come_before_the_applications(self):
        for header, languages in (
            ("de, fr;q=0.8", "de fr en-us"),
            ("de;q=0.3, fr", "fr de en-us"),
            ("en, de", "en-us"),
            ("en-gb, de", "en-gb de en-us"),
            ("*", "en-us"),
            ("fr;q=0, de", "de en-us"),
            ("no;;such", "en-us"),
            ("", "en-us"),
        ):
            got = get(make_app(), "/texts/languages", HTTP_ACCEPT_LANGUAGE=header)
            self.assertEqual(languages, got.content.decode(), header)
        self.assertEqual(b"en-us", get(make_app(), "/texts/languages").content)

    def test_the_application_says_what_it_is_written_in(self):
        app = make_app()
        app.config["pylons.request_options"]["language"] = "fr"
        for header, languages in (("de", "de fr"), ("de, fr", "de fr"), ("de, en", "de en fr")):
            got = get(app, "/texts/languages", HTTP_ACCEPT_LANGUAGE=header)
            self.assertEqual(languages, got.content.decode(), header)
        self.assertEqual("en-us", Request.blank("/").language)
