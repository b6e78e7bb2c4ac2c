"""Programs in processes of their own, on both loops."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import unittest
import unittest.mock
from pathlib import Path

from cogen.core.coroutines import coro
from cogen.core.events import OperationTimeout, Sleep
from cogen.core.processes import run, start
from cogen.core.schedulers import Scheduler

PYTHON = sys.executable


def exists(pid):
    return os.path.exists(f"/proc/{pid}")


class ProcessTests(unittest.TestCase):
    proactor = "asyncio"

    def setUp(self):
        self.scheduler = Scheduler(proactor=self.proactor)
        self.addCleanup(self.scheduler.shutdown)

    def run_(self, function):
        """Run a generator function; nothing is left of it, and no process."""
        coroutine = self.scheduler.add(coro(function))
        self.scheduler.run()
        self.assertEqual("", Path(f"/proc/self/task/{os.getpid()}/children").read_text())
        return coroutine.result()

    def python(self, text, **options):
        return run([PYTHON, "-c", text], **options)

    def test_one_that_was_left_is_not_kept_until_its_owner_ends(self):
        @coro
        def program():
            with (yield start(["true"])) as process:
                yield process.wait()
            yield run(["true"])
            return owner._callbacks

        owner = self.scheduler.add(program)
        self.scheduler.run()
        self.assertEqual([], owner.result())

    def test_what_it_writes_and_how_it_ends(self):
        text = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
        done = self.run_(lambda: (yield self.python(text)))
        self.assertIsInstance(done, subprocess.CompletedProcess)
        self.assertEqual((3, b"out\n", b"err\n"), (done.returncode, done.stdout, done.stderr))

    def test_what_it_reads(self):
        data = os.urandom(3 * 1024 * 1024)
        text = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
        done = self.run_(lambda: (yield self.python(text, input=data)))
        self.assertEqual(data[::-1], done.stdout)

    def test_one_that_does_not_read_all(self):
        done = self.run_(lambda: (yield self.python("", input=b"x" * 3 * 1024 * 1024)))
        self.assertEqual(0, done.returncode)

    def test_check(self):
        with self.assertLogs(), self.assertRaises(subprocess.CalledProcessError) as caught:
            self.run_(lambda: (yield self.python("print(1); raise SystemExit(2)", check=True)))
        self.assertEqual((2, b"1\n"), (caught.exception.returncode, caught.exception.stdout))

    def test_a_timeout_kills_it(self):
        began = time.monotonic()
        with self.assertLogs(), self.assertRaisesRegex(OperationTimeout, "Exit of <Process"):
            self.run_(lambda: (yield run(["sleep", "60"], timeout=0.1)))
        self.assertLess(time.monotonic() - began, 30)

    def test_cancelled_it_is_killed(self):
        def main():
            running = self.scheduler.add(run, (["sleep", "60"],))
            yield Sleep(0.1)
            running.cancel()
            try:
                yield running
            except asyncio.CancelledError:
                return "cancelled"

        self.assertEqual("cancelled", self.run_(main))

    def test_a_program_that_is_not_there(self):
        with self.assertLogs(), self.assertRaisesRegex(FileNotFoundError, "no-such-program"):
            self.run_(lambda: (yield run(["no-such-program"])))

    def test_a_string_is_no_list(self):
        with self.assertRaisesRegex(TypeError, "must be a list, the program first, not 'ls -l'"):
            start("ls -l")

    def test_lines_come_while_it_runs_and_the_block_ends_it(self):
        text = "print('one', flush=True); print('two', flush=True); import time; time.sleep(60)"

        def main():
            with (yield start([PYTHON, "-c", text])) as process:
                lines = [(yield process.stdout.read_line()), (yield process.stdout.read_line())]
            return lines, process.returncode, (yield process.wait()), exists(process.pid)

        self.assertEqual(([b"one\n", b"two\n"], None, -9, False), self.run_(main))

    def test_how_it_ended_is_known_whoever_reaps_it(self):
        def main():
            process = yield start(["sleep", "60"])
            os.kill(process.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # Python 3.11 reaps it in a thread
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            process.close()
            return (yield process.wait())

        with unittest.mock.patch.object(asyncio.log.logger, "warning"):  # unknown child process
            self.assertEqual(-signal.SIGKILL, self.run_(main))

    def test_one_talks_with_it(self):
        def main():
            with (yield start(["cat"], stdin=subprocess.PIPE)) as process:
                yield process.stdin.write(b"hello\n")
                line = yield process.stdout.read_line()
                process.stdin.close()
                return line, (yield process.stdout.read()), (yield process.wait())

        self.assertEqual((b"hello\n", b"", 0), self.run_(main))

    def test_it_ends_with_who_started_it(self):
        started = []

        @coro
        def owner():
            started.append((yield start(["sleep", "60"])))

        def main():
            yield owner_of_its_own
            return (yield started[0].wait())

        owner_of_its_own = self.scheduler.add(owner)
        self.assertEqual(-9, self.run_(main))

    def test_a_stop_of_the_program_ends_it(self):
        def main():
            process = yield start(["sleep", "60"])
            self.scheduler.loop.call_later(0.05, self.scheduler.stop)
            yield process.wait()

        with self.assertRaises(asyncio.CancelledError):
            self.run_(main)

    def test_a_signal(self):
        def main():
            with (yield start(["sleep", "60"])) as process:
                process.terminate()
                return (yield process.wait())

        self.assertEqual(-15, self.run_(main))


class UvloopTests(ProcessTests):
    """All of it on the other loop."""

    proactor = "uvloop"
