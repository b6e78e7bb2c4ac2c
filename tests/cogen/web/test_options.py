"""Options from text: the value, or one line that names the option and what it may be."""

import dataclasses
import unittest

from hypothesis import given
from hypothesis import strategies as st

from cogen.web.options import OptionError, Options, option, parse_options


@dataclasses.dataclass(frozen=True)
class Table:
    name: str = option("x", "A text.")
    count: int = option(3, "A number.", least=1, most=9)
    pause: float = option(0.5, "Seconds.", least=0)
    wanted: bool = option(False, "A choice.")
    kind: str = option("a", "One of two.", among=("a", "b"))
    mode: str = option("660", "Octal.", form=("[0-7]{3,4}", "an octal mode"))
    some: str = option("all", "A number or all.", number_or="all", least=1, most=5)


class ParseTests(unittest.TestCase):
    def refused(self, name, text):
        with self.assertRaises(OptionError) as caught:
            parse_options({name: text}, Table)
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        self.assertIn(name, line)
        return line

    def test_what_is_not_given_has_its_default(self):
        self.assertEqual(Table(), parse_options({}, Table))

    def test_text_becomes_what_the_default_is(self):
        given = {"name": "n", "count": "9", "pause": "1.5", "kind": "b", "mode": "0600"}
        self.assertEqual(Table("n", 9, 1.5, False, "b", "0600"), parse_options(given, Table))
        for text in ("true", "Yes", "ON", "1"):
            self.assertTrue(parse_options({"wanted": text}, Table).wanted)
        for text in ("false", "No", "OFF", "0"):
            self.assertFalse(parse_options({"wanted": text}, Table).wanted)

    def test_an_unknown_name_is_told_with_the_nearest_or_with_those_that_there_are(self):
        with self.assertRaisesRegex(OptionError, "^unknown knob 'cuont': is count meant\\?$"):
            parse_options({"cuont": "3"}, Table, "knob")
        with self.assertRaisesRegex(OptionError, "^unknown knob 'zzz'; there are: count, kind, "):
            parse_options({"zzz": "3"}, Table, "knob")

    def test_what_is_said_has_the_prefix_of_the_names(self):
        self.assertEqual(Table(count=5), parse_options({"a.count": "5"}, Table, prefix="a."))
        for name, text, line in (
            ("a.count", "0", r"^a\.count = '0': must be 1 or more$"),
            ("a.cuont", "1", r"^unknown knob 'a\.cuont': is a\.count meant\?$"),
            ("count", "1", r"^unknown knob 'count': is a\.count meant\?$"),
        ):
            with self.assertRaisesRegex(OptionError, line):
                parse_options({name: text}, Table, "knob", "a.")

    def test_all_that_is_wrong_is_told(self):
        with self.assertRaisesRegex(OptionError, "count = '0'") as caught:
            parse_options({"count": "0", "name": "n", "cuont": "1", "kind": "c"}, Table)
        unknown, kind = map(str, caught.exception.others)
        self.assertIn("'cuont'", unknown)
        self.assertIn("kind = 'c'", kind)

    def test_what_is_of_another_kind(self):
        self.assertIn("count = 'many': not a whole number", self.refused("count", "many"))
        self.assertIn("not a whole number", self.refused("count", "3.0"))
        self.assertIn("not a number", self.refused("pause", "soon"))
        self.assertIn("not a true or false", self.refused("wanted", "maybe"))
        self.assertIn("one of a, b", self.refused("kind", "c"))
        for text in ("999", "66", "rw-", "06600"):
            self.assertIn("not an octal mode", self.refused("mode", text))
        self.assertIn("must be all or a whole number", self.refused("some", "-1"))

    def test_what_is_out_of_its_limits(self):
        self.assertIn("must be 1 or more", self.refused("count", "0"))
        self.assertIn("must be 9 or less", self.refused("count", "10"))
        self.assertIn("must be 0 or more", self.refused("pause", "-0.1"))
        self.assertIn("must be 5 or less", self.refused("some", "6"))
        self.assertIn("must be 1 or more", self.refused("some", "0"))

    def test_a_time_that_never_comes(self):
        for text in ("nan", "inf", "-inf", "1e999"):
            self.assertIn("not a number", self.refused("pause", text))

    @given(st.sampled_from(["count", "pause", "wanted", "kind", "mode", "some"]), st.text())
    def test_any_text_is_within_the_limits_or_refused(self, name, text):
        try:
            table = parse_options({name: text}, Table)
        except OptionError as error:
            self.assertIn(name, str(error))
            return
        self.assertTrue(1 <= table.count <= 9 and table.pause >= 0)
        self.assertIn(table.kind, ("a", "b"))
        self.assertIn(table.some, ("all", *map(str, range(1, 6))))


class OptionsTests(unittest.TestCase):
    def test_every_default_is_within_its_own_limits(self):
        for field in dataclasses.fields(Options):
            text = str(field.default)
            with self.subTest(field.name):
                self.assertEqual(Options(), parse_options({field.name: text}, Options))

    def test_every_option_says_what_it_is(self):
        for field in dataclasses.fields(Options):
            self.assertRegex(field.metadata["doc"], r"^[A-Z].{10,}\.$", field.name)
