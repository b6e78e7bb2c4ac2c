"""`__all__` is the promise; everything else starts with an underscore."""

import ast
import importlib
import unittest
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]


def modules():
    for package in ("cogen", "pylons", "chatapp"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.stat().st_size:
                yield path, ".".join(path.relative_to(ROOT).with_suffix("").parts)


def defined(path):
    """Names of functions and classes at the top of the file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds)}


class ExportTests(unittest.TestCase):
    def test_public_names_are_promised_and_promises_are_kept(self):
        for path, name in modules():
            module = importlib.import_module(name.removesuffix(".__init__"))
            if "__all__" not in vars(module):
                self.assertEqual("__init__.py", path.name, f"{name} has no __all__")
                continue
            missing = [each for each in module.__all__ if not hasattr(module, each)]
            self.assertEqual([], missing, name)
            public = {each for each in defined(path) if not each.startswith("_")}
            self.assertEqual(set(), public - set(module.__all__), name)

    def test_a_package_tells_its_version(self):
        for package, distribution in (
            ("cogen", "cogen"),
            ("pylons", "Pylons"),
            ("chatapp", "ChatApp"),
        ):
            module = importlib.import_module(package)
            self.assertEqual(version(distribution), module.__version__)
            with self.assertRaisesRegex(AttributeError, f"'{package}' has no attribute 'other'"):
                vars(module)["__getattr__"]("other")
