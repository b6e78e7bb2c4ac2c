"""Alerts of the guide: Prometheus takes them, they fire when they should, their metrics exist."""

import json
import re
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

from benchmarks.harness.chat import ChatServer
from benchmarks.harness.commands import CommandServer
from tests.docs.pages import DOCS, blocks
from tests.support.engine import RedisServer
from tests.support.programs import needs

PAGE = DOCS / "alerts.md"
RULES = blocks(PAGE, "yaml")[0].text
ALERTS = dict(re.findall(r"- alert: (\w+)\n +expr: (.*)\n", RULES))
_METRIC = re.compile(r"\b(?:up|(?:chat|cogen|process)_\w+)\b")
# Series by which each fires, minute by minute for an hour, in promtool's notation; all others of
# the table are as they are in good times: those of `GOOD`.
GOOD = {
    'up{job="chat"}': "1x60",
    "chat_log_up": "1x60",
    'chat_log_refusals_total{reason="unavailable"}': "3x60",
    'cogen_responses_total{instance="a",status="200"}': "0+600x60",
    'cogen_responses_total{instance="a",status="500"}': "0+1x60",
    'cogen_refusals_total{status="503"}': "7x60",
    'process_open_fds{job="chat"}': "900x60",
    'process_max_fds{job="chat"}': "20000x60",
    'process_cpu_seconds_total{job="chat"}': "0+30x60",
    'process_resident_memory_bytes{job="chat"}': "150000000x60",
    'process_start_time_seconds{job="chat"}': "1700000000x60",
    'chat_commit_seconds_bucket{instance="a",le="0.1"}': "0+100x60",
    'chat_commit_seconds_bucket{instance="a",le="+Inf"}': "0+100x60",
    "chat_log_lag_seconds": "0.002x60",
    "chat_gap_messages_total": "0+1x60",
    'chat_limit_refusals_total{instance="a",limit="push_rate"}': "0+5x60",
    "chat_full_queues_total": "0+2x60",
    'cogen_stalls_total{of="loop"}': "2x60",
    "cogen_threads_waiting": "0x60",
}
BAD = {
    "ChatDown": {'up{job="chat"}': "0x60"},
    "ChatLogDown": {"chat_log_up": "0x60"},
    "ChatRefusesPushes": {'chat_log_refusals_total{reason="unavailable"}': "0+2x60"},
    "ChatErrors": {'cogen_responses_total{instance="a",status="500"}': "0+20x60"},
    "ChatFull": {'cogen_refusals_total{status="503"}': "0+5x60"},
    "ChatFilesShort": {'process_open_fds{job="chat"}': "17000x60"},
    "ChatBusy": {'process_cpu_seconds_total{job="chat"}': "0+58x60"},
    "ChatGrows": {'process_resident_memory_bytes{job="chat"}': "2000000000x60"},
    "ChatRestarts": {'process_start_time_seconds{job="chat"}': "1700000000+60x60"},
    "ChatSlowToStore": {
        'chat_commit_seconds_bucket{instance="a",le="0.1"}': "0+10x60",
        'chat_commit_seconds_bucket{instance="a",le="5.0"}': "0+100x60",
    },
    "ChatLogBehind": {"chat_log_lag_seconds": "9x60"},
    "ChatTellsOfLoss": {"chat_gap_messages_total": "0+200x60"},
    "ChatUnderPressure": {'chat_limit_refusals_total{instance="a",limit="push_rate"}': "0+900x60"},
    "ChatSlowReaders": {"chat_full_queues_total": "0+900x60"},
    "ApplicationStalls": {'cogen_stalls_total{of="loop"}': "0+1x60"},
    "ApplicationShortOfThreads": {"cogen_threads_waiting": "4x60"},
}


class TableTests(unittest.TestCase):
    def test_the_table_has_each_alert_with_its_metrics(self):
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
        told = {alert: set(re.findall(r"`(\w+)`", metrics)) for alert, metrics in rows}
        self.assertEqual(
            {alert: set(_METRIC.findall(expr)) for alert, expr in ALERTS.items()}, told
        )


class MetricTests(unittest.TestCase):
    def test_each_metric_is_told_by_a_server(self):
        """`up` is Prometheus' own. An application in threads tells of these."""
        scraped = ""
        with RedisServer() as redis:
            options = {"metrics_path": "/metrics"}
            with ChatServer(app={"chat.log": redis.url}, server=options) as server:
                url = f"{server.url}metrics"
                scraped += urllib.request.urlopen(url).read().decode()
                scraped += urllib.request.urlopen(url).read().decode()
        with CommandServer(metrics_path="/metrics") as server, server.connect() as client:
            scraped += client.get("/metrics").body.decode()
        there = set(re.findall(r"^# TYPE (\w+) ", scraped, re.MULTILINE))
        there |= set(re.findall(r"^(\w+)\{", scraped, re.MULTILINE))
        named = {name for expr in ALERTS.values() for name in _METRIC.findall(expr)}
        self.assertGreater(len(named), 12)
        self.assertEqual({"up"}, named - there)

    def test_the_labels_are_those_of_the_figures(self):
        for name, label in (
            ("cogen_refusals_total", "status"),
            ("cogen_responses_total", "status"),
            ("chat_log_refusals_total", "reason"),
            ("chat_limit_refusals_total", "limit"),
        ):
            self.assertRegex(RULES, rf"\b{label}\b.*{name}|{name}\{{{label}=")


@needs("promtool")
class PromtoolTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "chat.rules.yml").write_text(RULES)

    def promtool(self, *arguments):
        done = subprocess.run(
            ["promtool", *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_the_rules_are_right(self):
        self.promtool("check", "rules", "chat.rules.yml")

    def test_none_fires_in_good_times_and_each_in_its_own(self):
        self.assertEqual(set(ALERTS), set(BAD))
        cases = [self.case(GOOD, fires=None)]
        cases += [self.case({**GOOD, **bad}, fires=alert) for alert, bad in BAD.items()]
        # JSON is YAML.
        test = {"rule_files": ["chat.rules.yml"], "tests": cases}
        (self.folder / "test.yml").write_text(json.dumps(test))
        self.promtool("test", "rules", "test.yml")

    def case(self, series, fires):
        """That all others do not fire, and `fires` once, after an hour."""
        count = 'sum by (alertname) (ALERTS{alertstate="firing"})'
        sample = {"labels": f'{{alertname="{fires}"}}', "value": 1}
        return {
            "interval": "1m",
            "input_series": [{"series": name, "values": text} for name, text in series.items()],
            "promql_expr_test": [
                {"expr": count, "eval_time": "55m", "exp_samples": [sample] if fires else []}
            ],
        }
