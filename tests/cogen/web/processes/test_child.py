"""A process that was started, as its supervisor has it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import unittest
from unittest import mock

from benchmarks.harness.server import PATIENCE
from cogen.web.processes.child import Child


class ChildTests(unittest.TestCase):
    def test_a_signal_leaves_its_status_to_who_waits_for_it(self):
        async def run():
            child = Child(1, {})
            await child.spawn([sys.executable, "-c", "import time; time.sleep(3600)"], [])
            self.addCleanup(_end, child.pid)
            taken = AssertionError("the status is taken here")
            with mock.patch.object(subprocess.Popen, "poll", side_effect=taken):
                child.stop()
                async with asyncio.timeout(PATIENCE):
                    await child.wait()
            child.stop()  # one that has ended takes it too
            await child.close()
            return child.status

        self.assertEqual(-signal.SIGTERM, asyncio.run(run()))


def _end(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
