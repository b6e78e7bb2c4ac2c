"""Tests have no annotations, which nobody checks; what they share has them throughout."""

import ast
import unittest
from pathlib import Path

TESTS = Path(__file__).parent
UNTYPED = ("test_*.py", "contract.py")  # tests, and those that several modules run


def functions(path):
    """The functions of the file, each with the annotations of what it takes and gives."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            taken = node.args
            named = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
            own = [each for each in named if each and each.arg not in ("self", "cls")]
            yield node.name, [node.returns, *(each.annotation for each in own)]


class AnnotationTests(unittest.TestCase):
    def test_no_function_of_a_test_module_has_one(self):
        for path in (path for kind in UNTYPED for path in TESTS.rglob(kind)):
            for name, annotations in functions(path):
                self.assertFalse(any(annotations), f"{path}: {name} has annotations")

    def test_every_function_that_tests_share_has_all(self):
        for path in (*(TESTS / "support").glob("*.py"), *TESTS.rglob("support.py")):
            for name, annotations in functions(path):
                self.assertTrue(all(annotations), f"{path}: {name} lacks an annotation")
