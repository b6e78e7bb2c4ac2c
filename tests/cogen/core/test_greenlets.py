"""Greenlets of threads that have ended, and the collector of garbage."""

import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[3]
# What `kept` holds is put aside by gc.freeze, as servers do, while the thread still runs.
_THREAD_ENDS = """
import gc, threading, time
from greenlet import getcurrent
from cogen.core.corolets import wait

def error_of_wait():
    try:
        wait(time.sleep)
    except RuntimeError as error:
        return error

def run():
    kept.append({keep}())
    ready.set()
    go.wait()

kept, ready, go = [], threading.Event(), threading.Event()
threads = threading.active_count()
thread = threading.Thread(target=run)
thread.start()
ready.wait()
gc.freeze()
go.set()
thread.join()
for _ in range(1000):
    time.sleep(0)  # what greenlet does when the thread has ended is done
gc.unfreeze()
gc.collect()
kept.clear()
gc.collect()
print("alive")
"""


class ThreadTests(unittest.TestCase):
    def ends(self, keep):
        """A process in which a thread ends that has left what `keep` gives goes on."""
        script = _THREAD_ENDS.replace("{keep}", keep)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
        )
        self.assertEqual((0, "alive\n"), (done.returncode, done.stdout), done.stderr)

    def test_the_greenlet_of_one_that_has_ended_can_be_kept_and_put_aside(self):
        self.ends("getcurrent")

    def test_an_error_of_wait_can_be_kept_and_put_aside(self):
        self.ends("error_of_wait")
