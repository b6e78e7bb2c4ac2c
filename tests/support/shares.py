"""nosetests as scripts/test.py runs it: a leak fails it, and several share the suite's modules."""

import faulthandler
import gc
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import nose
from nose.loader import TestLoader

from tests.support.leaks import Leaks

__all__ = ["Share"]

# A module that has not ended by then hangs: where, is told, and the run fails instead of waiting.
_HANGS = 15 * 60


class Share(Leaks):
    """Runs one module after the other that `modules` gives, and tells of each in a line."""

    def __init__(self, modules: Iterator[str]) -> None:
        super().__init__()
        self.modules = modules

    def configure(self, options: Any, conf: Any) -> None:
        super().configure(options, conf)
        self.conf = conf

    def run(self, test: Any, result: Any) -> None:
        for module in self.modules:
            began = time.monotonic()
            before = _failures(result)
            sys.stderr.flush()
            faulthandler.dump_traceback_later(_HANGS, exit=True, file=sys.__stderr__)
            # A loader remembers what it has set up, and all tests.
            TestLoader(config=self.conf).loadTestsFromName(module)(result)
            faulthandler.cancel_dump_traceback_later()
            self.where = module
            gc.collect()
            self.tell()
            # Else tests that call the collector are the slower the more modules ran before.
            gc.freeze()
            failed = _failures(result) - before
            if failed:
                self.note(module, failed)
            word = f"{failed} FAILED" if failed else "ok"
            # In one write, as others write there too.
            sys.__stdout__.write(f"{module}: {word}, {time.monotonic() - began:.1f} s\n")
            sys.__stdout__.flush()

    def note(self, module: str, failed: int) -> None:
        """Tell whoever runs the suite what to run again by itself."""
        with open(os.environ["FAILED_MODULES"], "a") as file:
            file.write(f"{failed} {module}\n")


def _failures(result: Any) -> int:
    return len(result.failures) + len(result.errors)


def _taken(pipe: int, modules: list[str]) -> Iterator[str]:
    """Those of `modules` whose numbers, in lines of four bytes, this process is the one to read."""
    while number := os.read(pipe, 4):
        yield modules[int(number)]


def main() -> None:
    """`python -m tests.support.shares [nosetests arguments]`, or `--take PIPE MODULES`."""
    faulthandler.enable(file=sys.__stderr__)  # a crash tells where it was
    if sys.argv[1:2] == ["--take"]:
        modules = sys.argv[3:]
        share = Share(_taken(int(sys.argv[2]), modules))
        nose.main(argv=["nosetests"], addplugins=[share], suite=[])
    else:
        nose.main(addplugins=[Leaks()])


if __name__ == "__main__":
    main()
