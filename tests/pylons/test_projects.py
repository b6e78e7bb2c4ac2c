"""The official workflow in a fresh environment: a project from nothing to a served, tested page."""

import re
import unittest

from tests.pylons.fresh import Fresh

PROJECT = "Hello-World"  # its package is helloworld
PACKAGE = f"{PROJECT}/helloworld"


def setUpModule():
    global fresh
    fresh = Fresh()
    try:
        said = fresh.paster("create", "-t", "pylons", PROJECT, said="\n\n")
        assert "Enter template_engine (mako/jinja2/genshi: Template language) ['mako']" in said
        assert "Enter sqlalchemy (True/False: Include SQLAlchemy configuration) [False]" in said
    except BaseException:
        fresh.remove()
        raise


def tearDownModule():
    fresh.remove()


class ProjectCase(unittest.TestCase):
    def read(self, name):
        return (fresh.folder / name).read_text()

    def write(self, name, text):
        path = fresh.folder / name
        path.write_text(text)
        return path

    def passes(self, project, count):
        """Its tests and its lint."""
        said = fresh.run([fresh.bin / "nosetests"], project)
        self.assertIn(f"{count} passed, 0 failed, 0 skipped", said)
        fresh.run([fresh.bin / "ruff", "check", "."], project)
        fresh.run([fresh.bin / "ruff", "format", "--check", "."], project)

    def create(self, name, *words, template="pylons", status=0):
        options = ["--no-interactive", "-t", template, name, *words]
        return fresh.paster("create", *options, status=status)


class MadeProjects(ProjectCase):
    def test_each_engine_passes_its_tests_and_lint_with_and_without_a_database(self):
        for engine in ("mako", "jinja2", "genshi"):
            for database, count in ((False, 4), (True, 5)):
                name = f"made{engine}{database}"
                with self.subTest(name):
                    self.create(name, f"template_engine={engine}", f"sqlalchemy={database}")
                    self.passes(name, count)

    def test_babel_finds_the_texts_of_each_engine_and_makes_catalogs(self):
        for engine in ("mako", "jinja2", "genshi"):
            name = f"told{engine}"
            self.create(name, f"template_engine={engine}")
            texts = fresh.folder / name / name / "i18n"
            texts.mkdir()
            command = [fresh.bin / "python", "setup.py", "-q"]
            fresh.run([*command, "extract_messages"], name)
            self.assertIn('msgid "Clock"', (texts / f"{name}.pot").read_text())
            fresh.run([*command, "init_catalog", "-l", "de"], name)
            fresh.run([*command, "compile_catalog"], name)
            self.assertTrue((texts / f"de/LC_MESSAGES/{name}.mo").exists())

    def test_a_minimal_one_has_controllers_and_tests_too(self):
        for engine in ("mako", "genshi"):
            name = f"least{engine}"
            self.create(name, f"template_engine={engine}", template="pylons_minimal")
            fresh.paster("controller", "hello", inside=name)
            self.passes(name, 1)

    def test_a_wrong_answer_is_refused_in_one_line(self):
        said = self.create("wrong", "template_engine=kid", status=2)
        self.assertIn("template_engine is one of mako, jinja2, genshi, not 'kid'", said)
        said = self.create("wrong", "sqlalchemy=perhaps", status=2)
        self.assertIn("sqlalchemy is True or False, not 'perhaps'", said)

    def test_a_name_that_will_not_do_is_refused_in_one_line(self):
        for name, told in (
            ("", "'' is no name of a project"),
            ("../up", "'../up' is no name of a project"),
            ("ünï", "'ünï' is no name of a project"),
            ("123", "the package of 123 would be 123, which is no name in Python"),
            ("class", "the package of class would be class, which is no name in Python"),
            ("js-on", "would be json, and hide the module of that name: name the project my-json"),
            ("Pylons", "would be pylons, and hide the module of that name"),
        ):
            said = self.create(name, status=2)
            self.assertIn(told, said.splitlines()[-1])
            self.assertFalse(name and (fresh.folder / name).exists(), name)

    def test_an_ini_that_is_wrong_is_one_line_from_each_command(self):
        self.write("wrong.ini", "[app:main]\nuse = egg:nowhere\nuse = egg:nowhere\n")
        for command, *more in (("serve",), ("setup-app",), ("request", "/"), ("post", "/")):
            with self.subTest(command):
                said = fresh.paster(command, "wrong.ini", *more, status=1)
                self.assertRegex(said, r"\Awrong.ini: DuplicateOptionError: .*'use'.*\n\Z")

    def test_each_has_its_own_secret(self):
        secrets = set()
        for name in ("one", "two"):
            self.create(name)
            ini = self.read(f"{name}/development.ini")
            secrets.update(re.findall(r"^beaker.session.secret = ([0-9a-f]{64})$", ini, re.M))
        self.assertEqual(2, len(secrets))


class Controllers(ProjectCase):
    def test_the_commands_are_there_whatever_egg_info_says_of_them(self):
        self.create("plain")
        # pip install -e does not write it.
        (fresh.folder / "plain/plain.egg-info/paster_plugins.txt").unlink(missing_ok=True)
        fresh.paster("controller", "hello", inside="plain")
        self.assertIn("/{controller}/{action}", fresh.paster("routes", inside="plain"))
        fresh.folder.joinpath("elsewhere").mkdir()
        said = fresh.paster("controller", "hello", inside="elsewhere", status=2)
        self.assertIn("this folder is in no project", said)
        said = fresh.paster("routes", inside="elsewhere", status=2)
        self.assertIn("there is no development.ini in this folder", said)

    def test_new_controllers_pass_their_tests_and_lint(self):
        self.create("growing")
        for words in (["hello"], ["admin/track-back"]):
            fresh.paster("controller", *words, inside="growing")
        routes = self.read("growing/growing/config/routing.py")
        for words in (["comment", "comments"], ["admin/note", "admin/notes"]):
            said = fresh.paster("restcontroller", *words, inside="growing")
            route = said[said.index("mapper.resource") :].strip()
            routes = routes.replace("    # Routes of yours", f"    {route}\n    # Routes of yours")
        self.write("growing/growing/config/routing.py", routes)
        fresh.run([fresh.bin / "ruff", "format", "growing/config/routing.py"], "growing")
        self.passes("growing", 22)
        said = fresh.paster("routes", inside="growing")
        self.assertRegex(said, r"admin_note +GET +/admin/notes/:\(id\) +admin/notes +show")
        said = fresh.paster("routes", "none.ini", inside="growing", status=2)
        self.assertEqual("there is no none.ini in this folder: name the ini file\n", said)

    def test_a_name_that_will_not_do_is_refused_in_one_line(self):
        for name, told in (
            ("error", "helloworld/controllers/error.py is there already"),
            ("helloworld", "a controller cannot have the name of the package, helloworld"),
            ("email", "there is a module email already, which the controller would hide"),
            ("1st", "'1st' is no name of a module"),
            ("class", "'class' is no name of a module"),
        ):
            said = fresh.paster("controller", name, inside=PROJECT, status=2)
            self.assertIn(told, said)
            self.assertEqual(1, said.count("\n"), said)


class Served(ProjectCase):
    def test_it_is_served_and_loaded_anew_in_a_folder_that_is_not_installed(self):
        fresh.paster("controller", "hello", "--no-test", inside=PROJECT)
        with fresh.served(PROJECT, "development.ini", "--reload") as site:
            status, page = site.get("/")
            self.assertEqual(200, status)
            self.assertIn("<h1>Hello-World</h1>", page)
            self.assertEqual((200, "Hello World"), site.get("/hello/index"))
            self.assertRegex(site.get("/clock/index")[1], r"<h1>It is \d\d:\d\d:\d\d</h1>")
            self.assertRegex(site.get("/clock/wait/0.1")[1], r"^\d\d:\d\d:\d\d$")
            status, page = site.get("/nowhere/index")
            self.assertEqual((404, True), (status, "<h1>404 Not Found</h1>" in page))
            name = f"{PACKAGE}/controllers/hello.py"
            text = self.read(name).replace("Hello World", "Hello, new world")
            # The monitor looks once a second, and takes what it sees first for the old one.
            while site.get("/hello/index")[1] != "Hello, new world":
                self.write(name, text)

    def test_an_installation_of_it_has_an_ini_of_its_own_is_set_up_and_served(self):
        self.create("shipped", "sqlalchemy=True")
        fresh.run([fresh.bin / "pip", "install", "-q", "--no-deps", "./shipped"])
        (fresh.folder / "site").mkdir()
        fresh.paster("make-config", "shipped", "config.ini", inside="site")
        self.assertNotIn("${", self.read("site/config.ini"))
        fresh.paster("setup-app", "config.ini", inside="site")
        with fresh.served("site", "config.ini") as site:
            self.assertRegex(site.get("/clock/index")[1], "<h1>It is ")
            self.assertEqual(404, site.get("/clock/nothing")[0])

    def test_it_is_set_up_in_its_own_folder(self):
        said = fresh.paster("setup-app", "development.ini", inside=PROJECT)
        self.assertIn("development.ini is set up", said)


FAILING = """\
from failing.lib.base import BaseController


class FailController(BaseController):
    def index(self):
        number = 41
        return number / 0
"""


class Debugging(ProjectCase):
    def test_the_interactive_page_is_there_for_one_process_at_this_machine_alone(self):
        self.create("failing")
        self.write("failing/failing/controllers/fail.py", FAILING)
        fresh.run([fresh.bin / "pip", "install", "-q", "--target", "added", "backlash"])
        for more, interactive in (("", True), ("\nworkers = 2", False)):
            settings = {"path": str(fresh.folder / "added"), "more": more}
            with fresh.served("failing", "development.ini", **settings) as site:
                status, page = site.get("/fail/index")
                self.assertEqual(500, status)
                self.assertIn("ZeroDivisionError", page)
                self.assertEqual(interactive, "SECRET" in page)
                if interactive:
                    secret = re.findall(r'SECRET = "(\w+)"', page)[0]
                    frame = re.findall(r'id="frame-(\d+)"', page)[-1]
                    query = f"__debugger__=yes&cmd=number%2B1&frm={frame}&s={secret}"
                    self.assertIn(">42<", site.get(f"/fail/index?{query}")[1])


class Shells(ProjectCase):
    LINES = (
        "print('is', url('/x'), request.path, config['pylons.package'])\n"
        "session['a'] = 1\n"
        "print(app.get('/clock/index').status, h.flash, _('text'), mapper is not None)\n"
    )

    def test_pythons_own_has_the_application_and_a_request(self):
        said = fresh.paster("shell", "-d", inside=PROJECT, said=self.LINES)
        self.assertIn("Pylons Interactive Shell", said)
        self.assertIn("is /x / helloworld", said)
        self.assertRegex(said, "200 OK <pylons.pylonslib.flash.Flash .*> text True")

    def test_ipythons_is_taken_where_it_is_installed(self):
        self.assertIn("Pylons Interactive Shell", fresh.paster("shell", inside=PROJECT))
        fresh.run([fresh.bin / "pip", "install", "-q", "IPython"])
        said = fresh.paster("shell", "development.ini", inside=PROJECT, said=self.LINES)
        self.assertIn("All objects from helloworld.lib.base are available", said)
        self.assertIn("is /x / helloworld", said)


class Extras(ProjectCase):
    def test_what_a_plain_install_lacks_is_asked_for_in_one_line(self):
        for line, told in (
            (
                "from pylons.decorators import validate; validate()",
                "needs FormEncode: pip install FormEncode",
            ),
            (
                "from pylons._debugger import Debugger; Debugger()",
                "needs backlash: pip install backlash",
            ),
        ):
            said = fresh.run([fresh.bin / "python", "-c", line], status=1)
            self.assertIn(told, said.splitlines()[-1])
