"""What a project for Python 2 becomes."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BEFORE = """\
import cgi
import webhelpers.html.tags
from webhelpers.html.builder import literal
from webhelpers.pylonslib import Flash as _Flash
from webhelpers.pylonslib.secure_form import secure_form
from routes.middleware import RoutesMiddleware
from routes.middleware import RoutesMiddleware as Router
from routes.middleware import (RoutesMiddleware)
from routes.middleware import is_form_post
from webhelpers.html.converters import nl2br
lookup = Lookup(imports=['from webhelpers.html import escape', u"import webhelpers.pylonslib"])
told = 'webhelpers', 'a page from webhelpers.html'
broken = webhelpers.html.converters.nl2br(1)
link = webhelpers.html.tags.link_to(1)
own = self.webhelpers
from webhelpers.html import converters
from webhelpers.html import converters as text, tags
from webhelpers.html import literal, converters
imports = ['from webhelpers.html.converters import nl2br']
imports = ['from webhelpers.html import converters']
page = literal(resp.body) or cgi.escape(request.GET.get('message', ''))
quoted = cgi.escape(text, True) + cgi.escape(str(code))
print u"a", `page`
"""
AFTER = """\
import cgi
import webhelpers2.html.tags
from webhelpers2.html.builder import literal
from pylons.pylonslib import Flash as _Flash
from pylons.pylonslib.secure_form import secure_form
from pylons.middleware import RoutesMiddleware
from pylons.middleware import RoutesMiddleware as Router
from pylons.middleware import (RoutesMiddleware)
from routes.middleware import is_form_post
from webhelpers2.html.tools import nl2br
import html
lookup = Lookup(imports=['from webhelpers2.html import escape', "import pylons.pylonslib"])
told = 'webhelpers', 'a page from webhelpers.html'
broken = webhelpers2.html.tools.nl2br(1)
link = webhelpers2.html.tags.link_to(1)
own = self.webhelpers
from webhelpers2.html import tools as converters
from webhelpers2.html import tools as text, tags
from webhelpers2.html import literal, tools as converters
imports = ['from webhelpers2.html.tools import nl2br']
imports = ['from webhelpers2.html import tools as converters']
page = literal(resp.text) or html.escape(request.GET.get('message', ''), quote=False)
quoted = html.escape(text, True) + html.escape(str(code), quote=False)
print("a", repr(page))
"""


class FixesTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def fixes(self, *arguments):
        command = [sys.executable, "-m", "pylons.fixes", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_a_project_is_converted_in_place(self):
        path = self.folder / "site" / "a.py"
        path.parent.mkdir()
        path.write_text(BEFORE)
        done = self.fixes(str(self.folder))
        self.assertEqual((0, AFTER), (done.returncode, path.read_text()), done.stderr)

    def test_what_cannot_be_read_is_named_and_the_rest_converted(self):
        (self.folder / "a.py").write_text("def f(:\n")
        (self.folder / "b.py").write_text("print 1\n")
        done = self.fixes(str(self.folder))
        self.assertEqual(1, done.returncode)
        self.assertIn(f"Can't parse {self.folder}/a.py", done.stderr)
        self.assertEqual("print(1)\n", (self.folder / "b.py").read_text())

    def test_without_a_folder_it_says_how_it_is_used(self):
        done = self.fixes()
        self.assertEqual(1, done.returncode)
        self.assertIn("usage: python -m pylons.fixes FOLDER...", done.stderr)
