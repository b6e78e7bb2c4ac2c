"""What can be named on the command line of cogen-serve, and the line for what cannot."""

import os
import sys
import tempfile
import unittest
from pathlib import Path

from cogen.web.options import OptionError
from cogen.web.settings.loading import load

SITE = """\
def application(environ, start_response): return [b"application"]
def app(environ, start_response): return [b"app"]
def create_app(name="made", *, debug=False):
    made = lambda environ, start_response: [name.encode(), b"%d" % debug]
    return made
def create_nothing(): return None
def needs(name): return application
def create(config=None, mode=None, **more): return application
def make_app(*args, **more): return application
def takes_any(*args): return [b"any"]
class Callable:
    def __call__(self, environ, start_response): return [b"instance"]
class ByClass:
    def __init__(self, environ, start_response): pass
    def __iter__(self): yield b"class"
class Configured:
    def __init__(self, name="x", debug=False): pass
    def __call__(self, environ, start_response): return [b"instance"]
class Fresh:
    def __new__(cls, environ, start_response): return [b"fresh"]
class Asgi:
    async def __call__(self, scope, receive, send): pass
async def asgi(scope, receive, send): pass
class holder:
    instance = Callable()
number = 5
"""


class LoadingTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        for state in (sys.path, sys.modules):
            self.addCleanup(self.restore, state, state.copy())
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))
        self.write("site_one.py", SITE)

    def restore(self, state, before):
        state.clear()
        state.update(before) if isinstance(state, dict) else state.extend(before)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)

    def served(self, where, factory=False):
        return b" ".join(load(where, factory)({}, lambda *_: None))

    def refused(self, where, factory=False):
        with self.assertRaises(OptionError) as caught:
            load(where, factory)
        line = str(caught.exception)
        self.assertTrue(line.startswith(f"{where}: "), line)
        self.assertNotIn("\n", line)
        return line.removeprefix(f"{where}: ")

    def test_a_callable_is_named_or_has_one_of_two_names(self):
        self.assertEqual(b"application", self.served("site_one"))
        self.assertEqual(b"app", self.served("site_one:app"))
        self.assertEqual(b"instance", self.served("site_one:holder.instance"))
        self.assertEqual(b"class", self.served("site_one:ByClass"))
        self.assertEqual(b"fresh", self.served("site_one:Fresh"))
        self.assertEqual(b"any", self.served("site_one:takes_any"))
        self.write("site_two.py", "def app(environ, start_response): return [b'two']")
        self.assertEqual(b"two", self.served("site_two"))

    def test_a_factory_is_called_with_the_arguments_that_are_written(self):
        self.assertEqual(b"made 0", self.served("site_one:create_app()"))
        self.assertEqual(b"x 1", self.served("site_one:create_app('x', debug=True)"))

    def test_a_factory_that_is_named_as_one_is_called(self):
        self.assertEqual(b"made 0", self.served("site_one:create_app", factory=True))
        self.assertEqual(b"made 0", self.served("site_one", factory=True))
        self.assertEqual(b"instance", self.served("site_one:Configured", factory=True))

    def test_one_that_is_none_is_refused(self):
        for where, said in (
            ("site_one:create_app()", "called already; leave out either the brackets or --factory"),
            ("site_one:needs", "missing a required argument: 'name'"),
            ("site_one:create_nothing", "None cannot be called"),
            ("site_one:number", "5 cannot be called"),
        ):
            self.assertIn(said, self.refused(where, factory=True))
        self.write("site_two.py", "def app(environ, start_response): return []")
        said = "no 'create_app' and no 'make_app'; if app is the application, leave out --factory"
        self.assertIn(said, self.refused("site_two", factory=True))

    def test_what_was_found_is_said_where_nothing_is_named(self):
        for where, factory, said in (
            ("site_one", False, "application of site_one is served"),
            ("site_one.py", True, "create_app() of site_one.py is served"),
        ):
            with self.assertLogs("cogen.web.settings.loading", "INFO") as logs:
                self.served(where, factory)
            self.assertEqual([said], [record.getMessage() for record in logs.records])

    def test_a_file_by_any_other_name_is_a_script(self):
        self.write("json.wsgi", "import json\n" + SITE)
        self.assertEqual(b"application", self.served("json.wsgi"))
        self.assertEqual(b"app", self.served("./json.wsgi:app"))
        self.write("pack/__init__.py", "")
        self.write("pack/wsgi.py", SITE)
        self.write("pack.wsgi", "raise AssertionError('the module comes first')")
        self.assertEqual(b"application", self.served("pack.wsgi"))

    def test_a_file_stands_for_its_module(self):
        self.assertEqual(b"application", self.served("site_one.py"))
        self.assertEqual(b"app", self.served(f"{self.folder}/site_one.py:app"))

    def test_a_file_in_a_package_is_imported_as_part_of_it(self):
        self.write("below/pack/__init__.py", "")
        self.write("below/pack/names.py", "NAME = b'in a package'")
        self.write(
            "below/pack/wsgi.py",
            "from .names import NAME\ndef application(environ, start_response): return [NAME]",
        )
        self.assertEqual(b"in a package", self.served("below/pack/wsgi.py"))

    def test_what_is_not_there_is_named(self):
        self.assertIn("there is no module 'nowhere'", self.refused("nowhere:app"))
        self.assertIn("there is no module 'site_one.x'", self.refused("site_one.x"))
        self.assertIn("there is no file 'nowhere.py'", self.refused("nowhere.py"))
        self.assertIn("there is no file './nowhere'", self.refused("./nowhere:app"))
        self.assertIn("site_one has no 'nothing'", self.refused("site_one:nothing"))
        self.write("empty.py", "")
        neither = "it has no 'application' and no 'app'; another is empty:NAME"
        for where in ("empty", "empty:"):
            self.assertIn(neither, self.refused(where))
        self.assertEqual("it names no module; write MODULE:NAME", self.refused(":app"))

    def test_what_to_write_instead_is_said(self):
        self.assertIn("write site_one:app", self.refused("site_one.app"))
        self.assertIn("write site_one:needs()", self.refused("site_one:needs"))
        for name in ("create", "make_app", "create_app", "Callable", "Configured"):
            self.assertIn(f"; write site_one:{name}()", self.refused(f"site_one:{name}"))
        self.assertEqual(b"instance", self.served("site_one:Configured()"))
        self.write("factory.py", "def create_app(): pass")
        self.assertIn("write factory:create_app()", self.refused("factory"))
        self.assertIn("write factory.py:create_app()", self.refused("factory.py"))

    def test_the_package_of_a_django_project_has_it_in_a_module(self):
        self.write("mysite/__init__.py", "")
        self.write("mysite/wsgi.py", SITE)
        self.assertIn("its module wsgi may: write mysite.wsgi", self.refused("mysite"))
        self.assertEqual(b"application", self.served("mysite.wsgi"))

    def test_a_call_that_cannot_be_made_is_refused(self):
        self.assertIn("missing a required argument: 'name'", self.refused("site_one:needs()"))
        self.assertIn("None cannot be called", self.refused("site_one:create_nothing()"))
        self.assertIn("5 cannot be called", self.refused("site_one:number()"))
        for expression in ("create_app(x)", "create_app()()", "1 + 1", "a b", "["):
            self.assertIn("neither a name nor a call", self.refused(f"site_one:{expression}"))

    def test_what_is_no_wsgi_application_is_refused(self):
        self.assertIn("5 cannot be called", self.refused("site_one:number"))
        self.assertIn("ASGI", self.refused("site_one:asgi"))
        self.assertIn("ASGI", self.refused("site_one:Asgi()"))

    def test_a_file_with_the_name_of_a_module_that_is_loaded_is_refused(self):
        self.write("json.py", SITE)
        self.assertIn("rename it", self.refused("json.py"))

    def test_what_the_application_does_not_find_itself_is_its_own_error(self):
        self.write("broken.py", "import not_installed_at_all")
        with self.assertRaises(ModuleNotFoundError) as caught:
            load("broken")
        self.assertEqual("not_installed_at_all", caught.exception.name)
