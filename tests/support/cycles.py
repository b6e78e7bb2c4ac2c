"""What only the collector would free: on a path that many requests take, that is a leak."""

import gc
import unittest
from collections import Counter
from collections.abc import Callable

__all__ = ["assert_no_cycles"]

TIMES = 20


def assert_no_cycles(case: unittest.TestCase, run: Callable[[], object]) -> None:
    """Call `run()` again and again; fails, telling what it was, if anything is left in cycles."""
    run()
    enabled = gc.isenabled()
    gc.freeze()  # what was there before is not looked at
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(TIMES):
            run()
        gc.collect()
        left = Counter(type(each).__name__ for each in gc.garbage)
        case.assertEqual({}, {name: f"{count} in {TIMES} runs" for name, count in left.items()})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        if enabled:
            gc.enable()
