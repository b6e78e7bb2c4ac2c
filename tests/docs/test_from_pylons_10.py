"""The page for those who come from Pylons 1.0 has every name that 1.0.3 promised."""

import importlib
import re
import unittest

from tests.docs.pages import DOCS

# The `__all__` of each module of 1.0.3, and what projects took from those that had none.
PROMISED = {
    "pylons": (
        "app_globals cache config request response session tmpl_context translator url Request"
        " Response"
    ),
    "pylons.configuration": "PylonsConfig config pylons_config request_defaults response_defaults",
    "pylons.controllers": "WSGIController XMLRPCController",
    "pylons.controllers.core": "WSGIController",
    "pylons.controllers.jsonrpc": "JSONRPCController JSONRPCError jsonrpc_error",
    "pylons.controllers.xmlrpc": "XMLRPCController xmlrpc_fault xmlrpc_sig",
    "pylons.controllers.util": "abort etag_cache forward redirect Request Response",
    "pylons.decorators": "jsonify validate JSONEncoder",
    "pylons.decorators.cache": "beaker_cache create_cache_key",
    "pylons.decorators.rest": "dispatch_on restrict",
    "pylons.decorators.secure": "authenticate_form https csrf_detected_message",
    "pylons.decorators.util": "get_pylons",
    "pylons.error": "handle_mako_error mako_html_data template_error_formatters",
    "pylons.i18n": (
        "_ N_ add_fallback get_lang gettext gettext_noop lazy_gettext lazy_ngettext lazy_ugettext"
        " lazy_ungettext ngettext set_lang ugettext ungettext LanguageError"
    ),
    "pylons.i18n.translation": "_get_translator LazyString lazify",
    "pylons.log": "WSGIErrorsHandler",
    "pylons.middleware": (
        "ErrorHandler StatusCodeRedirect DebugHandler error_document_template media_path head_html"
        " footer_html debugger_filter_factory debugger_filter_app_factory"
    ),
    "pylons.templating": (
        "render_mako render_mako_def render_genshi render_jinja2 cached_template pylons_globals"
        " PYLONS_VARS"
    ),
    "pylons.test": "PylonsPlugin pylonsapp",
    "pylons.testutil": "ControllerWrap SetupCacheGlobal",
    "pylons.util": (
        "AttribSafeContextObj ContextObj PylonsContext PylonsInstaller PylonsTemplate"
        " MinimalPylonsTemplate call_wsgi_application class_name_from_module_name resolve_dotted"
    ),
    "pylons.wsgiapp": "PylonsApp",
    "pylons.commands": "ControllerCommand RestControllerCommand RoutesCommand ShellCommand",
}
# What a module of 1.0 had because it imported it, and projects took from there.
IMPORTED = {
    "pylons.configuration": "asbool",
    "pylons.middleware": (
        "Request Response StaticURLParser asbool call_wsgi_application report_libs"
    ),
    "pylons.wsgiapp": "Request Response ContextObj PylonsContext AttribSafeContextObj",
    "pylons.testutil": "Request Response ContextObj PylonsContext request_defaults",
    "pylons.decorators": "get_pylons",
    "pylons.decorators.cache": "get_pylons",
    "pylons.decorators.rest": "get_pylons abort",
    "pylons.decorators.secure": "get_pylons abort",
    "pylons.controllers.jsonrpc": "WSGIController abort",
    "pylons.controllers.xmlrpc": "WSGIController abort",
    "pylons.util": "asbool Template var",
}
GONE = {
    "pylons.error": "myghty_html_data",
}
PAGE = (DOCS / "from-pylons-1.0.md").read_text()
TABLE = PAGE[PAGE.index("## Names") : PAGE.index("## Options")]


def rows():
    """By module, the names that its row has, and what is said of them."""
    for names, now in re.findall(r"^\| `(pylons.*?) \| (.*) \|$", TABLE, re.MULTILINE):
        module, _, rest = names.partition("`")
        yield module, re.findall(r"`([\w.]+)`", rest), now


class PageTests(unittest.TestCase):
    def test_every_name_is_there_and_can_be_imported(self):
        told = {}
        for module, names, _ in rows():
            if not names:
                module, _, name = module.rpartition(".")
                names = [name]
            told.setdefault(module, []).extend(names)
        for module, promised in PROMISED.items():
            imported = importlib.import_module(module)
            for name in promised.split():
                self.assertTrue(hasattr(imported, name), f"{module}.{name}")
                if name not in ("WSGIController", "PylonsApp"):  # of which there is a row
                    self.assertIn(name, told.get(module, ()), module)

    def test_what_a_module_only_imported_is_there_too(self):
        [row] = re.findall("^.*what a module of 1.0 only imported.*$", TABLE, re.MULTILINE)
        for module, names in IMPORTED.items():
            self.assertIn(f"{module.rpartition('.')[2]}", row)
            for name in names.split():
                self.assertTrue(hasattr(importlib.import_module(module), name), f"{module}.{name}")

    def test_what_is_gone_is_said(self):
        for module, name in GONE.items():
            self.assertFalse(hasattr(importlib.import_module(module), name), name)
            self.assertRegex(TABLE, rf"`{name}`: none")

    def test_what_a_row_says_of_a_class_is_there(self):
        for module, names, _ in rows():
            package, _, kind = module.rpartition(".")
            if kind in ("WSGIController", "PylonsApp"):
                owner = getattr(importlib.import_module(package), kind)
                annotated = owner.__annotations__
                for name in names:
                    self.assertTrue(hasattr(owner, name) or name in annotated, f"{module}.{name}")
