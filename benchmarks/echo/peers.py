"""The echo servers: each one process, on one core."""

import sys
from collections.abc import Callable

from benchmarks.targets import Site, Target

__all__ = ["PEERS"]


def _of(module: str, *words: str) -> Callable[[Site], list[list[str]]]:
    def commands(site: Site) -> list[list[str]]:
        # -P: what is compiled comes before the sources.
        command = [sys.executable, "-P", "-m", f"benchmarks.echo.{module}", str(site.port), *words]
        return [command]

    return commands


PEERS = [
    Target("cogen", "cogen", _of("on_cogen", "any"), ours=True),
    Target("cogen-asyncio", "cogen, asyncio's loop", _of("on_cogen", "asyncio"), ours=True),
    Target("asyncio", "asyncio streams", _of("on_asyncio", "asyncio")),
    Target(
        "asyncio-uvloop", "asyncio streams, uvloop", _of("on_asyncio", "uvloop"), needs=("uvloop",)
    ),
    Target("trio", "trio", _of("on_trio"), needs=("trio",)),
    Target("gevent", "gevent", _of("on_gevent"), needs=("gevent",)),
]
