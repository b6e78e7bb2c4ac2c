"""Commands at their times."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.examples.support import ROOT, ExampleCase


def functions():
    """Those of the example, without its program."""
    text = (ROOT / "examples/cron.py").read_text()
    names = {}
    exec(text[: text.index("with open(sys.argv")], names)
    return names


class CronTests(ExampleCase):
    def test_commands_run_at_their_second_and_end_with_the_program(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "table").write_text(
            f"* * * * * * echo ran >> {folder}/ran\n"
            f"* * * * * * exec sleep 600\n"
            "* * * 31 2 * echo never\n"
        )
        began = time.monotonic()
        program = subprocess.Popen(
            [sys.executable, ROOT / "examples/cron.py", folder / "table"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        deadline = time.monotonic() + 20
        while len(self.lines(folder)) < 3:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
        self.assertGreaterEqual(len(children), 2, "the sleeps run beside each other")
        program.send_signal(signal.SIGTERM)
        output, _ = program.communicate(timeout=20)
        self.assertEqual(0, program.returncode, output)
        self.assertIn(": status 0", output)
        self.assertNotIn("never", output)
        while left := [child for child in children if Path(f"/proc/{child}").exists()]:
            self.assertLess(time.monotonic(), deadline, f"{left} go on")
            time.sleep(0.05)
        passed = time.monotonic() - began
        self.assertLessEqual(len(self.lines(folder)), passed + 1, "one ran twice in its second")

    def lines(self, folder):
        ran = folder / "ran"
        return ran.read_text().splitlines() if ran.exists() else []

    def test_the_fields_are_crons(self):
        is_due = functions()["is_due"]
        monday = datetime(2026, 11, 30, 8, 35, 0)
        for fields, due in (
            ("0 */5 8-17 * * 1-5", True),
            ("0 0,35 8 30 11 *", True),
            ("0 35 8 * * 0", False),
            ("1 35 8 * * *", False),
            ("0 */10 * * * *", False),
            ("* * 9-17 * * *", False),
        ):
            self.assertEqual(due, is_due(fields.split(), monday), fields)
