"""Whose code runs in the threads of the server's pool."""

from __future__ import annotations

import sys
import threading
import types
from typing import Any

from cogen.web.exchanges.stuck import POOL

__all__ = ["SITE", "Probe"]

# As sitecustomize.py, it has a process tell in its log what the probe sees, each line by one write:
# print makes two, and lines of several threads would mix.
SITE = """\
import sys
from tests.support.probe import Probe

probe = Probe(lambda package: sys.stderr.write(f"{package} runs in a thread\\n"))
probe.__enter__()
"""


class Probe:
    """A context manager: `packages` are those whose code pools run that are started in it.

    `tell` is called with each, once.
    """

    def __init__(self, tell: Any = None) -> None:
        self.packages: set[str] = set()
        self._tell = tell

    def __enter__(self) -> Probe:
        threading.setprofile(self._called)
        return self

    def __exit__(self, *exc: object) -> None:
        threading.setprofile(None)  # type: ignore[arg-type]

    def _called(self, frame: types.FrameType, event: str, argument: object) -> None:
        if not threading.current_thread().name.startswith(POOL):
            sys.setprofile(None)
            return
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if event == "call" and package not in self.packages:
            self.packages.add(package)
            if self._tell is not None:
                self._tell(package)
