"""Statistics, verdicts, table and chart, from figures that are given."""

import json
import unittest
import xml.etree.ElementTree as ElementTree

from benchmarks.chart import svg
from benchmarks.criteria import judge
from benchmarks.keep import DOCS, PAGES, between, merged
from benchmarks.plan import plan
from benchmarks.report import markdown
from benchmarks.scenario import Run
from benchmarks.stats import figure_of, percentile, summarize


def runs(target, clients, *values, **more):
    return [Run(target, clients, cpu_us=value, **more).as_dict() for value in values]


MACHINE = {
    "date": "2026-11-25", "cores": 2, "one_core_for_both": False, "system": "Linux 6.18",
    "python": "3.11.7", "versions": {"uvicorn": "0.54.0"},
}  # fmt: skip


def report(*groups, left_out=()):
    runs = [run for group in groups for run in group]
    return {"machine": MACHINE, "runs": runs, "left_out": list(left_out)}


class StatisticsTests(unittest.TestCase):
    def test_the_spread_is_from_the_least_to_the_greatest_as_a_share_of_the_median(self):
        figure = figure_of([30.0, 20.0, 40.0])
        self.assertEqual((30.0, 20.0, 40.0), (figure.median, figure.least, figure.most))
        self.assertAlmostEqual(2 / 3, figure.spread)

    def test_percentiles_count_values(self):
        counts = {5: 98, 7: 1, 900: 1}
        self.assertEqual(5, percentile(counts, 0.5))
        self.assertEqual(7, percentile(counts, 0.99))
        self.assertEqual(900, percentile(counts, 1))
        with self.assertRaises(ValueError):
            percentile({}, 0.5)

    def test_repeats_become_one_summary_and_what_was_not_measured_is_left_out(self):
        first, second = runs("bare", 100, 10.0, 30.0, lost=2)
        failed = Run("bare", 100, error="it broke").as_dict()
        (summary,) = summarize([first, second, failed])
        self.assertEqual(20.0, summary.value("cpu_us"))
        self.assertIsNone(summary.value("idle_cpu"))
        self.assertEqual(
            (2, 4, ["it broke"]),
            (summary.figures["cpu_us"].repeats, summary.counts["lost"], summary.errors),
        )


class VerdictTests(unittest.TestCase):
    def words(self, *groups):
        return [verdict.word for verdict in judge(summarize(report(*groups)["runs"]))]

    def test_a_ratio_at_its_limit_is_reached_and_one_above_is_not(self):
        self.assertEqual("reached", self.words(runs("bare", 100, 25.0), runs("asgi", 100, 50.0))[0])
        above = self.words(runs("bare", 100, 25.1), runs("asgi", 100, 50.0))
        self.assertEqual("not reached", above[0])

    def test_what_was_not_measured_is_not_called_reached(self):
        self.assertEqual({"not measured"}, set(self.words(runs("bare", 100, 25.0))))

    def test_the_other_get_is_compared_with_itself_at_rest(self):
        measured = runs("chat", 10_000, 1.0, probe_idle_ms=3.0, probe_busy_ms=30.0, idle_cpu=0.2)
        verdicts = {each.what: each for each in judge(summarize(measured))}
        (probe,) = [each for what, each in verdicts.items() if "another GET" in what]
        self.assertEqual((27.0, "not reached"), (probe.value, probe.word))

    def test_a_machine_that_is_not_at_rest_shows_nothing_of_fairness(self):
        measured = runs("chat", 10_000, 1.0, probe_idle_ms=300.0, probe_busy_ms=30.0)
        (word,) = [each.word for each in judge(summarize(measured)) if "another GET" in each.what]
        self.assertEqual("not measured", word)


class TableTests(unittest.TestCase):
    def test_a_row_for_each_target_and_number_of_clients_fewest_first(self):
        text = markdown(
            report(
                runs("bare", 10_000, 30.0, 33.0, held_kib=5.0, after_kib=6.0, p50_ms=1.0,
                     p99_ms=2.0, rate=12345.6, reached_ms=800.0, lost=1),
                runs("asgi", 100, 50.0),
                left_out=["node: node not found"],
            )
        )  # fmt: skip
        machine, cost, times, *_ = text.split("\n\n")
        self.assertEqual(
            "2026-11-25, 2 cores, Linux 6.18, Python 3.11.7, cogen not compiled; uvicorn 0.54.0.",
            machine,
        )
        self.assertEqual(
            [
                "| raw ASGI on uvicorn | 100 | 50.0 | - | - | 0 |",
                "| bare WSGI on cogen | 10,000 | 31.5 ±5% | 5.0 / 6.0 | - | 2 |",
            ],
            cost.splitlines()[2:],
        )
        self.assertEqual(
            [
                "| raw ASGI on uvicorn | 100 | - | - | - | - |",
                "| bare WSGI on cogen | 10,000 | 12,346 | 1.0 / 2.0 | 800.0 | - |",
            ],
            times.splitlines()[2:],
        )
        self.assertIn("Left out: node: node not found.", text)

    def test_a_push_alone_has_one_row_for_all_runs_of_a_target(self):
        alone = {"push_p50_ms": 0.5, "push_p99_ms": 0.75, "alone_p50_ms": 1.0, "alone_p99_ms": 2.0}
        text = markdown(
            report(
                runs("chat", 50, 1.0, **alone),
                runs("chat", 100, 1.0, **{**alone, "push_p50_ms": 1.5}),
                runs("chat-sqlite", 100, 1.0, **{**alone, "push_p50_ms": 3.25}),
                runs("bare", 100, 1.0),
            )
        )
        (table,) = [part for part in text.split("\n\n") if "push answered" in part]
        self.assertEqual(
            [
                "| the chat, log in memory | 1.00 / 0.75 | 1.00 / 2.00 | - |",
                "| the chat, log in SQLite | 3.25 / 0.75 | 1.00 / 2.00 | +2.25 / +0.00 |",
            ],
            table.splitlines()[2:],
        )

    def test_runs_of_before_a_measure_was_taken_leave_it_out(self):
        (old,) = runs("bare", 100, 20.0)
        for measure in ("reached_ms", "push_p50_ms", "push_p99_ms", "alone_p50_ms", "alone_p99_ms"):
            del old[measure]
        text = markdown(report([old]))
        self.assertIn("| bare WSGI on cogen | 100 | - | - | - | - |", text)
        self.assertNotIn("push answered", text)

    def test_a_run_that_went_wrong_is_said(self):
        self.assertIn("(went wrong)", markdown(report([Run("bare", 100, error="no").as_dict()])))


class KeptFiguresTests(unittest.TestCase):
    """What docs/ shows is what its JSON holds: `python -m benchmarks.keep` wrote both."""

    def test_the_table_and_the_chart_are_those_of_the_kept_figures(self):
        kept = json.loads((DOCS / "performance.json").read_text())
        for file, (name, made_of) in PAGES.items():
            page = (DOCS / file).read_text()
            self.assertEqual(between(page, name, made_of(kept)), page)
        self.assertEqual(svg(kept), (DOCS / "performance.svg").read_text())

    def test_runs_made_apart_are_kept_together(self):
        few, many = report(runs("bare", 100, 20.0), left_out=["node"]), report(runs("bare", 9, 1.0))
        both = merged([few, many])
        self.assertEqual([100, 9], [run["clients"] for run in both["runs"]])
        self.assertEqual(["node"], both["left_out"])

    def test_a_page_without_marks_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "figures"):
            between("# Performance", "figures", "text")


class PlanTests(unittest.TestCase):
    def rows(self, *groups):
        text = plan(report(*groups))
        return {row.split(" | ")[0].strip("| "): row for row in text.splitlines()[2:]}

    def test_it_grows_with_people_from_the_figures_of_the_most_clients(self):
        rows = self.rows(
            runs("chat", 100, 1.0, base_kib=32 * 1024),
            runs("chat-redis-2", 10_000, 50.0, after_kib=8.0, idle_cpu=0.6),
            runs("chat-redis-4", 50_000, 120.0, after_kib=16.0, idle_cpu=0.001),
        )
        self.assertEqual("| workers | 1 | 7 | 63 |", rows["workers"])
        # Polls of 60 s end a sixth as often; a message a minute to each; half of a core in use.
        self.assertTrue(rows["cores that hold their polls"].endswith("| 0.1 | 1 | 10 |"))
        self.assertTrue(rows["cores that deliver"].endswith("| 0.02 | 0.2 | 2 |"))
        self.assertTrue(rows["cores to have, half of each in use"].endswith("| 1 | 3 | 29 |"))
        # 16 KiB each, and 32 MiB a process.
        self.assertTrue(rows["their memory, GiB"].endswith("| 0.18 | 1.7 | 17 |"))

    def test_without_its_figures_it_says_so(self):
        self.assertIn("not measured", plan(report(runs("chat-redis", 10_000, 50.0))))


class ChartTests(unittest.TestCase):
    def test_bars_are_as_long_as_their_values(self):
        text = svg(
            report(
                runs("bare", 100, 20.0), runs("bare", 10_000, 25.0, after_kib=4.0),
                runs("asgi", 100, 50.0), runs("asgi", 10_000, 200.0, after_kib=12.0),
            )
        )  # fmt: skip
        space = "{http://www.w3.org/2000/svg}"
        bars = ElementTree.fromstring(text).findall(f"{space}rect")[1:]
        widths = [float(bar.get("width")) for bar in bars]
        longest = max(widths)
        self.assertEqual(
            [25, 20, 200, 50, 67, 200], [round(width / longest * 200) for width in widths]
        )
        self.assertIn("raw ASGI on uvicorn", text)

    def test_what_is_missing_has_no_bar(self):
        text = svg(report(runs("bare", 100, 20.0), [Run("asgi", 100, error="no").as_dict()]))
        self.assertNotIn("raw ASGI", text)
