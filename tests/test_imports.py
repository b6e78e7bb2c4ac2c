"""Imports run one way: chatapp -> pylons, chatapp -> cogen; cogen.web -> cogen.core; tests ->
benchmarks. No circles."""

import ast
import unittest
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
GLUED = ("webob", "beaker", "mako", "routes")
FORBIDDEN = {
    "cogen/core": ("cogen.web", "pylons", "chatapp", "httptools", *GLUED),
    "cogen/web": ("pylons", "chatapp", *GLUED),
    "pylons": ("cogen", "chatapp"),
    "benchmarks": ("tests",),
}


def imported(path):
    """The modules that the file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"


def modules(package):
    """The files of a package by their modules."""
    for path in (ROOT / package).rglob("*.py"):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def named(path, known):
    """Those of the modules `known` that the file imports, for types alone or in a function too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & known
        elif isinstance(node, ast.ImportFrom) and not node.level:
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & known
            yield from inside or {node.module} & known


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

    def test_no_module_imports_itself_by_way_of_others(self):
        for package in ("cogen/web", "pylons", "chatapp"):
            paths = dict(modules(package))
            known = set(paths)
            graph = {module: set(named(path, known)) - {module} for module, path in paths.items()}
            with self.subTest(package):
                self.assertGreater(sum(map(len, graph.values())), 20)
                try:
                    TopologicalSorter(graph).prepare()
                except CycleError as error:
                    self.fail(" -> ".join(error.args[1]))
