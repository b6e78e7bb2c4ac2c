"""Imports run one way: chatapp -> pylons, chatapp -> cogen; cogen.web -> cogen.core."""

import ast
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[1]
GLUED = ("webob", "beaker", "mako", "routes")
FORBIDDEN = {
    "cogen/core": ("cogen.web", "pylons", "chatapp", "httptools", *GLUED),
    "cogen/web": ("pylons", "chatapp", *GLUED),
    "pylons": ("cogen", "chatapp"),
}


def imported(path):
    """The modules that the file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"


class ImportTests(unittest.TestCase):
    def test_no_package_imports_one_above_it(self):
        seen = 0
        for package, forbidden in FORBIDDEN.items():
            for path in (ROOT / package).rglob("*.py"):
                for module in imported(path):
                    seen += 1
                    wrong = [name for name in forbidden if f"{module}.".startswith(f"{name}.")]
                    self.assertEqual([], wrong, f"{path} imports {module}")
        self.assertGreater(seen, 100)
