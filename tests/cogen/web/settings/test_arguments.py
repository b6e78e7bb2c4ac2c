"""What a command line cannot take: one line that names it."""

import contextlib
import io
import unittest

from cogen.web.settings.arguments import Parser


class ArgumentsTests(unittest.TestCase):
    def setUp(self):
        self.parser = Parser(prog="serve")
        self.parser.add_argument("application")
        self.parser.add_argument("--port", type=int)
        self.parser.add_mutually_exclusive_group().add_argument("--threads")

    def refused(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as caught:
            self.parser.parse_args(arguments)
        self.assertEqual(2, caught.exception.code)
        line, end = said.getvalue().split("\n")
        self.assertEqual("", end)
        return line

    def test_what_is_known_is_taken(self):
        given = self.parser.parse_args(["--port", "5", "app"])
        self.assertEqual((5, "app"), (given.port, given.application))

    def test_an_unknown_option_is_named_and_not_the_argument_behind_it(self):
        line = "serve: unknown option --prot, is --port meant? (serve --help)"
        self.assertEqual(line, self.refused("--prot", "5", "app"))
        self.assertEqual(line, self.refused("app", "--prot=5"))
        self.assertIn("option --therads, is --threads meant?", self.refused("app", "--therads"))
        self.assertIn("unknown option -x (", self.refused("-x", "app"))

    def test_an_option_has_one_name(self):
        self.assertIn("unknown option --por, is --port meant?", self.refused("--por", "5", "app"))

    def test_what_is_missing_wrong_or_too_much(self):
        self.assertIn("required: application", self.refused())
        self.assertIn("--port: expected one argument", self.refused("app", "--port"))
        self.assertIn("--port: invalid int value: 'x'", self.refused("app", "--port", "x"))
        self.assertIn("unexpected argument 'more'", self.refused("app", "more"))

    def test_a_verb_names_its_own_options(self):
        self.parser = Parser(prog="chat")
        verbs = self.parser.add_subparsers(metavar="VERB", required=True)
        verbs.add_parser("talk").add_argument("--room")
        self.assertIn("chat talk: unknown option --rom, is --room", self.refused("talk", "--rom"))
        self.assertIn("chat: unknown option --room (", self.refused("--room", "talk"))
