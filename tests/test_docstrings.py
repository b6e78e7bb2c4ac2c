"""Every public name says what it is: functions, classes, methods and constants."""

import ast
import unittest
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("cogen", "pylons", "chatapp")
# Classes have methods of these without being derived from them.
PROTOCOLS = ("DirectoryObserver", "LogObserver")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """A file, as it is parsed."""

    def __init__(self, source):
        self.lines = source.splitlines()
        self.tree = ast.parse(source)
        self.names = []
        for name, node, _ in self.constants():
            if name == "__all__" and node.value is not None:
                self.names = list(ast.literal_eval(node.value))

    def constants(self):
        """Names that are assigned at the top, each with what assigns it and what is below that."""
        for node, below in pairwise([*self.tree.body, ast.Pass()]):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    yield ast.unparse(target), node, below

    def is_explained(self, node, below):
        """Whether a string below says what a constant is, or a comment: above, or of a script."""
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            return True
        above, first = (
            self.lines[node.lineno - 2 : node.lineno],
            "".join(self.lines[node.lineno :][:1]),
        )
        return above[0].startswith("# ") or first.startswith("-- ")

    def bare(self):
        """What the module promises and defines, and does not explain."""
        for name, node, below in self.constants():
            if name in self.names and not self.is_explained(node, below):
                yield name
        for each in self.tree.body:
            if isinstance(each, Function | ast.ClassDef) and each.name in self.names:
                if not ast.get_docstring(each):
                    yield each.name
                if isinstance(each, ast.ClassDef):
                    yield from bare_methods(each)


MODULES = {
    str(path.relative_to(ROOT)): Module(path.read_text("utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
CLASSES = {}
for _module in MODULES.values():
    for _node in _module.tree.body:
        if isinstance(_node, ast.ClassDef):
            CLASSES.setdefault(_node.name, []).append(_node)


def methods(kind):
    return [node for node in kind.body if isinstance(node, Function)]


def explained_methods(name):
    """Methods with a docstring, of the classes of that name and what they are derived from."""
    found = set()
    for kind in CLASSES.get(name, ()):
        found.update(each.name for each in methods(kind) if ast.get_docstring(each))
        bases = [ast.unparse(base).partition("[")[0] for base in kind.bases]
        found.update(*map(explained_methods, bases))
    return found


def bare_methods(kind):
    own = {each.name for each in methods(kind) if ast.get_docstring(each)}
    inherited = [explained_methods(ast.unparse(base)) for base in kind.bases]
    explained = own.union(*inherited, *map(explained_methods, PROTOCOLS))
    for each in methods(kind):
        if not each.name.startswith("_") and each.name not in explained:
            yield f"{kind.name}.{each.name}"


class DocstringTests(unittest.TestCase):
    def test_every_public_name_says_what_it_is(self):
        bare = [f"{path}: {name}" for path, module in MODULES.items() for name in module.bare()]
        self.assertEqual([], bare)

    def test_every_module_that_has_something_in_it_says_what_it_is_for(self):
        filled = {path: module.tree for path, module in MODULES.items() if module.tree.body}
        self.assertGreater(len(filled), 80)
        silent = [path for path, tree in filled.items() if not ast.get_docstring(tree)]
        self.assertEqual([], silent)

    def test_a_bare_name_is_found(self):
        module = Module(
            "__all__ = ['A', 'B', 'C', 'D', 'f']\n"
            "A = 1\n'One.'\nB = 2\n# Three.\nD = 3\n"
            "class C:\n    'A class.'\n    def g(self): ...\n"
            "def f(): ...\n"
        )
        self.assertEqual(["B", "f", "C.g"], sorted(module.bare(), key=len))
