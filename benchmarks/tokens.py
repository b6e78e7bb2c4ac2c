"""Bad tokens, as many as come: python -m benchmarks.tokens [SECONDS]

Each request is a poll that brings a token that is refused, another one each time, for several
seconds of each kind, over connections that are kept: how many one process refuses in a second of
its own processor's time, which does not count what asks it, and in one of the clock. One of each
kind is read whole, and at the end the log has to have a line an address and minute.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import jwt
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from benchmarks.harness.chat import ChatServer
from benchmarks.procfs import cpu_nanoseconds

__all__ = ["KINDS", "Refused", "chat_with_keys", "refused"]

KEY, OTHER = "k" * 40, "o" * 40
CONNECTIONS = 32
_PIPELINED = 16
_MADE = 2000
_END = b'"}'


def _claims(number: int, **more: object) -> dict[str, object]:
    return {"sub": f"{number}", "name": "Mallory", "exp": int(time.time()) + 3600, **more}


def _signed(number: int, key: str = KEY, **more: object) -> str:
    return jwt.encode(_claims(number, **more), key, algorithm="HS256")


def _unsigned(number: int) -> str:
    return jwt.encode(_claims(number), None, algorithm="none")


def _forged(number: int) -> str:
    """Says that it is signed by the public key's algorithm, with a signature of no key."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = part(b'{"alg":"EdDSA","typ":"JWT"}')
    return f"{head}.{part(json.dumps(_claims(number)).encode())}.{part(bytes(64))}"


KINDS: dict[str, Callable[[int], str]] = {
    "nonsense": lambda number: f"no-token-{number}",
    "algorithm none": _unsigned,
    "expired": lambda number: _signed(number, exp=int(time.time()) - 60),
    "not yet valid": lambda number: _signed(number, nbf=int(time.time()) + 600),
    "another key": lambda number: _signed(number, OTHER),
    "another key, EdDSA": _forged,
    "no sub": lambda number: jwt.encode({"exp": 4e9, "n": number}, KEY, algorithm="HS256"),
}
"""What a token is that is refused: from a number to one of that kind."""


class Refused(NamedTuple):
    """`count` were refused, each with 401 and the line `told`, in `seconds` of the clock and in
    `cpu` seconds of the server's processor."""

    count: int
    seconds: float
    cpu: float
    told: str


async def _ask(port: int, requests: Iterator[bytes], until: float) -> int:
    """How many were refused on one connection, some under way at a time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    try:
        while time.monotonic() < until:
            writer.write(b"".join(itertools.islice(requests, _PIPELINED)))
            for _ in range(_PIPELINED):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 401 "), head
                await reader.readuntil(_END)
                count += 1
    finally:
        writer.close()
    return count


async def _flood(port: int, pid: int, tokens: list[str], seconds: float) -> Refused:
    texts = [
        f"GET /chat/pull?client=t HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
        for token in tokens
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(texts[0])
    await reader.readuntil(b"\r\n\r\n")
    told = (await reader.readuntil(_END)).decode()
    writer.close()
    requests = itertools.cycle(texts)
    began, cpu = time.monotonic(), cpu_nanoseconds([pid])
    each = (_ask(port, requests, began + seconds) for _ in range(CONNECTIONS))
    counts = await asyncio.gather(*each)
    took = (cpu_nanoseconds([pid]) - cpu) / 1e9
    return Refused(sum(counts), time.monotonic() - began, took, told)


def refused(server: ChatServer, kind: str, seconds: float) -> Refused:
    """What comes of tokens of that kind."""
    assert server.process is not None
    tokens = [KINDS[kind](number) for number in range(_MADE)]
    return uvloop.run(_flood(server.port, server.process.pid, tokens, seconds))


def chat_with_keys(folder: Path) -> ChatServer:
    """A chat with a key of HS256, and one of EdDSA."""
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    path = folder / "key.pem"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(public.public_bytes(serialization.Encoding.PEM, form))
    app = {"chat.identity": "token", "chat.token_key": KEY, "chat.token_public_key": path}
    return ChatServer(app={**app, "chat.log": "memory:"})


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, chat_with_keys(Path(folder)) as server:
        print(f"{'refused a second of':20} {'its cpu':>8} {'clock':>8}")
        for kind in KINDS:
            done = refused(server, kind, seconds)
            alone, beside = done.count / done.cpu, done.count / done.seconds
            print(f"{kind:20} {alone:8,.0f} {beside:8,.0f}  {done.told}", flush=True)
        lines = [line for line in server.log.splitlines() if "refused:" in line]
        print(f"{len(lines)} lines in the log:", *lines, sep="\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
