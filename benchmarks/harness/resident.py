"""The memory of a process."""

import re
from pathlib import Path

__all__ = ["resident"]


def resident(pid: int | str = "self") -> int:
    """Bytes of the process `pid` that are in memory, by default of this one.

    From the page tables; what statm says is inaccurate (proc(5)).
    """
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    match = re.search(r"^Rss: +(\d+) kB$", rollup, re.MULTILINE)
    assert match is not None, rollup
    return int(match[1]) << 10
