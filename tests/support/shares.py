"""nosetests as scripts/test.py runs it: a leak fails it, and several share the suite's modules."""

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import nose

from tests.support.leaks import Leaks

__all__ = ["Share"]


class Share(Leaks):
    """Runs one module after the other that `modules` gives, and tells of each in a line."""

    def __init__(self, modules: Iterator[str]) -> None:
        super().__init__()
        self.modules = modules

    def prepareTestLoader(self, loader: Any) -> None:
        self.loader = loader

    def run(self, test: Any, result: Any) -> None:
        for module in self.modules:
            began = time.monotonic()
            before = _failures(result)
            self.loader.loadTestsFromName(module)(result)
            # nose sets a package up once for all, and this is all of it that runs here.
            self.loader.suiteClass.was_setup.clear()
            self.loader.suiteClass.was_torndown.clear()
            failed = _failures(result) - before
            word = f"{failed} FAILED" if failed else "ok"
            print(
                f"{module}: {word}, {time.monotonic() - began:.1f} s",
                file=sys.__stdout__,
                flush=True,
            )


def _failures(result: Any) -> int:
    return len(result.failures) + len(result.errors)


def _taken(pipe: int, modules: list[str]) -> Iterator[str]:
    """Those of `modules` whose numbers, in lines of four bytes, this process is the one to read."""
    while number := os.read(pipe, 4):
        yield modules[int(number)]


def main() -> None:
    """`python -m tests.support.shares [nosetests arguments]`, or `--take PIPE MODULES`."""
    if sys.argv[1:2] == ["--take"]:
        modules = sys.argv[3:]
        share = Share(_taken(int(sys.argv[2]), modules))
        nose.main(argv=["nosetests"], addplugins=[share], suite=[])
    else:
        nose.main(addplugins=[Leaks()])


if __name__ == "__main__":
    main()
