"""The machine's clock: what it is set to, and how much time has passed whatever it is set to."""

import time
from contextlib import suppress

__all__ = ["STEP_SECONDS", "Clock"]

# What a clock goes wrong by otherwise, and is corrected by bit by bit, is less.
STEP_SECONDS = 10.0

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """`boot`: names the start of the machine that `passed` counts from, empty if nobody knows."""

    def __init__(self) -> None:
        self.boot = _boot()

    def wall(self) -> float:
        """Unix seconds, as the clock is set."""
        return time.time()

    def passed(self) -> float:
        """Seconds since the machine was started, those that it was suspended for as well."""
        return time.clock_gettime(_SINCE_BOOT)


def _boot() -> str:
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()
    return ""
