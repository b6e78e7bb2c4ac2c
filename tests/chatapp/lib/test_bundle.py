import tempfile
import unittest
from pathlib import Path

from chatapp.lib.bundle import bundle

PUBLIC = Path(__file__).parents[3] / "chatapp" / "public"


class BundleTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def bundle(self, **modules):
        for name, source in modules.items():
            (self.folder / f"{name}.js").write_text(source, "utf-8")
        return bundle(self.folder, next(iter(modules))).decode()

    def test_a_module_comes_once_and_after_those_that_it_imports(self):
        whole = self.bundle(
            page="import { a } from './one.js';\nimport { b as c } from './two.js';\na(c);\n",
            one="import { b } from './two.js';\nexport function a() {\n  return b;\n}\n",
            two="const B = 1;\nexport const b = B;\n",
        )
        self.assertEqual(
            "const two_js = (() => {\nconst B = 1;\nconst b = B;\nreturn { b };\n})();\n\n"
            "const one_js = (() => {\nconst { b } = two_js;\nfunction a() {\n  return b;\n}\n"
            "return { a };\n})();\n\n"
            "const page_js = (() => {\nconst { a } = one_js;\nconst { b: c } = two_js;\na(c);\n"
            "return {  };\n})();\nexport { two_js, one_js, page_js };\n",
            whole,
        )

    def test_what_the_page_has_already_is_taken_from_there(self):
        self.bundle(
            page="import { a } from './one.js';\na();\n",
            one="export const a = 1;\n",
            more="import { a } from './one.js';\nexport const b = a;\n",
        )
        self.assertEqual(
            "import { one_js } from './page.js';\n"
            "const more_js = (() => {\nconst { a } = one_js;\nconst b = a;\nreturn { b };\n})();\n"
            "export { more_js };\n",
            bundle(self.folder, "more", "page").decode(),
        )

    def test_comments_are_left_out_and_what_looks_like_one_is_kept(self):
        whole = self.bundle(
            page="// one\n/** two\n * three\n */\nconst a = 1;  // it's four\n  // five\n"
            "/** six */\n"
            "const b = 'c // d';\nconst e = 'f'; // g\nconst h = /i // j/;\n"
        )
        self.assertEqual(
            "const page_js = (() => {\nconst a = 1;\nconst b = 'c // d';\nconst e = 'f'; // g\n"
            "const h = /i // j/;\nreturn {  };\n})();\nexport { page_js };\n",
            whole,
        )

    def test_a_form_that_is_not_known_is_refused_by_name(self):
        for line in ("export default 1;", "export let a = 1;", "import './two.js';"):
            with self.assertRaisesRegex(ValueError, r"one\.js: .*is not a form"):
                self.bundle(one=f"{line}\n", two="")

    def test_a_module_that_comes_to_import_itself_is_refused(self):
        with self.assertRaisesRegex(ValueError, "one -> two -> one"):
            self.bundle(
                one="import { b } from './two.js';\nexport const a = b;\n",
                two="import { a } from './one.js';\nexport const b = a;\n",
            )

    def test_the_page_is_two_scripts_and_has_each_module_in_one(self):
        whole = "".join(
            bundle(PUBLIC, *names).decode() for names in (["chat"], ["community", "chat"])
        )
        own = ("floor", "signin")  # of another page, or for browsers that know no modules
        scripts = {path.stem for path in PUBLIC.glob("*.js") if path.stem not in own}
        for name in scripts:
            self.assertEqual(1, whole.count(f"const {name}_js = "), name)
