import unittest

from tests.support.programs import needs


class NeedsTests(unittest.TestCase):
    def case(self, *programs):
        @needs(*programs, environ={})
        class Case(unittest.TestCase):
            def test(self):
                """Nothing to do."""

        return Case("test").run(unittest.TestResult())

    def test_what_cannot_run_is_skipped_with_the_reason(self):
        result = self.case("no-such-program")
        self.assertEqual(["no-such-program is not installed"], [why for _, why in result.skipped])

    def test_what_can_run_does(self):
        result = self.case("sh")
        self.assertEqual((1, []), (result.testsRun, result.skipped))

    def test_one_of_several_is_enough(self):
        result = self.case("no-such-program", "sh")
        self.assertEqual((1, []), (result.testsRun, result.skipped))

    def test_in_ci_nothing_is_skipped(self):
        with self.assertRaisesRegex(AssertionError, "no-such-program is not installed"):
            needs("no-such-program", environ={"CI": "true"})
        needs("sh", environ={"CI": "true"})
