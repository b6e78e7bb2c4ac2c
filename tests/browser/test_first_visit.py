from benchmarks.first_visit import MOST, SLOW, visit
from tests.browser.chromium import PageTestCase

TRIES = 3  # the machine may be busy with something else


class FirstVisitTests(PageTestCase):
    def test_the_first_message_is_stored_soon_on_a_slow_line(self):
        visits = []
        while not visits or (visits[-1].seconds > MOST and len(visits) < TRIES):
            visits.append(visit(self.browser, SLOW))
        self.assertLessEqual(visits[-1].seconds, MOST, visits)
        self.assertLess(visits[-1].bytes, 45_000)
        self.assertLess(visits[-1].requests, 20)
