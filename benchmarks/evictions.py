"""How soon somebody is out: python -m benchmarks.evictions REDIS_URL [ROUNDS]

Two servers share the Redis, which should be an empty one. In each round somebody polls at one of
them, and is banned by a change beside the log, as any worker or command makes it. Told are the
times from that change until the held poll ends, and until both servers refuse them.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import jwt

from benchmarks.harness.chat import ChatServer
from benchmarks.stranger import Stranger
from chatapp.community.book import Book
from chatapp.community.edits import Edit
from chatapp.community.standings import Standing
from chatapp.model.redis.log import RedisLog

__all__ = ["measured"]

_ROUNDS = 50
_KEY = "k" * 40


class _Silent:
    """Hears what a log has stored, and does nothing."""

    def appended(self, messages: Any) -> None:
        """Nothing."""

    def recreated(self, epoch: str) -> None:
        """Nothing."""

    def missed(self, heads: Any) -> None:
        """Nothing."""

    def occupied(self, room: str) -> bool:
        """It does not matter."""
        return False

    def kept(self, room: str) -> bool:
        """It does not matter."""
        return False


async def _round(book: Book, ports: list[int], name: str) -> tuple[float, float]:
    """Seconds until the held poll has ended, and until both servers refuse."""
    token = jwt.encode({"sub": name, "name": name, "exp": time.time() + 600}, _KEY)
    async with Stranger(ports[0]) as tab, Stranger(ports[0]) as here, Stranger(ports[1]) as there:
        for each in (tab, here, there):
            each.cookies["chat_jwt"] = token
        for _ in range(3):  # until it knows of all that there is
            await tab.ask("GET", "/chat/pull/lobby?client=a&hold=0")
            await asyncio.sleep(0.2)
        held = asyncio.create_task(tab.ask("GET", "/chat/pull/lobby?client=a"))
        await asyncio.sleep(0.3)
        if held.done():
            raise SystemExit("the poll is not held")
        standing = Standing(banned_until=math.inf, ban_reason="measured")
        await book.change(lambda: Edit(standings={name: standing}))
        began = time.monotonic()
        await held
        ended = time.monotonic() - began
        for each in (here, there):
            while (await each.ask("GET", "/chat/nick")).status != 403:
                await asyncio.sleep(0.005)
        return ended, time.monotonic() - began


async def measured(url: str, rounds: int) -> list[tuple[float, float]]:
    """Both times of each round."""
    secret = Path(tempfile.mkdtemp(), "secret")  # the two have to sign with one
    secret.write_text(secrets.token_hex())
    secret.chmod(0o600)
    app: dict[str, object] = {
        "chat.log": url, "chat.identity": "token", "chat.token_key": _KEY, "chat.push_rate": 0,
        "chat.poll_timeout": 30, "chat.secret_file": secret,
    }  # fmt: skip
    log = RedisLog(_Silent(), url=url, history=10, max_age=0.0, max_rooms=100)
    await log.open()
    with ChatServer(app) as one, ChatServer(app) as two:
        ports, told = [one.port, two.port], []
        for number in range(rounds):
            told.append(await _round(Book(log), ports[:: 1 if number % 2 else -1], f"p{number}"))
    await log.close()
    shutil.rmtree(secret.parent)
    return told


def main(arguments: list[str]) -> None:
    """Print the median and the longest."""
    if not arguments:
        raise SystemExit(__doc__)
    rounds = int(arguments[1]) if len(arguments) > 1 else _ROUNDS
    told = asyncio.run(measured(arguments[0], rounds))
    ended, refused = zip(*told, strict=True)
    for what, times in (("the held poll ends", ended), ("both refuse", refused)):
        print(f"{what}: {median(times):.2f} s, at most {max(times):.2f} s, of {rounds}")


if __name__ == "__main__":
    main(sys.argv[1:])
