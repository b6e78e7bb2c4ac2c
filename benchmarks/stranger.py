"""A client of the chat at an address of this machine: 127.0.0.1, or another one of 127.0.0.0/8."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from typing import Any, NamedTuple

__all__ = ["ANY", "Answer", "Stranger", "TooMany", "visit"]

ANY = ssl.create_default_context()
ANY.check_hostname, ANY.verify_mode = False, ssl.CERT_NONE


class Answer(NamedTuple):
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stranger:
    """A context manager: one connection, and the cookies that were given on it."""

    def __init__(self, port: int, address: str = "127.0.0.1", tls: bool = False) -> None:
        self._port = port
        self._address = address
        self._tls = ANY if tls else None
        self.cookies: dict[str, str] = {}

    async def __aenter__(self) -> Stranger:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(self._address, 0), ssl=self._tls
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        # Closing politely takes what an attacker has no time for.
        self._writer.transport.abort()

    @classmethod
    async def once(cls, port: int, tls: bool = False) -> None:
        """One goes before the others: what is made for the first is not counted."""
        async with cls(port, tls=tls) as stranger:
            for path in ("/", "/chat/nick", "/chat/pull?hold=0"):
                await stranger.ask("GET", path)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def ended(self) -> None:
        """Return when the server has closed the connection."""
        while await self._reader.read(65536):
            continue

    def send(self, method: str, path: str, body: bytes = b"") -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        head += f"Cookie: {cookies}\r\n" if cookies else ""
        head += f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
        self._writer.write(f"{head}\r\n".encode() + body)

    async def answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length, chunked = 0, False
        for line in head.split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
            elif name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "transfer-encoding":
                chunked = True
        body = await self._chunks() if chunked else await self._reader.readexactly(length)
        return Answer(int(head[9:12]), body)

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return body

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        self.send(method, path, body)
        return await self.answer()


class TooMany(Exception):
    """The address has no share left."""


async def visit(port: int, address: str, room: str, tls: bool = False, nick: str = "") -> float:
    """Seconds in which a newcomer gets the page, gets in, as `nick` if one is given, opens `room`,
    speaks there, and has read it. Raises TooMany."""
    began = time.monotonic()
    async with Stranger(port, address, tls) as stranger:
        page = await stranger.ask("GET", "/")
        assert page.status == 200, page
        if nick:
            named = await stranger.ask("POST", "/chat/nick", nick.encode())
            if named.status == 429:
                raise TooMany(named.body.decode())
            assert named.status == 200, named
        pull = f"/chat/pull/lobby,{room}?client=tab"
        joined = await stranger.ask("GET", f"{pull}&hold=0")
        assert joined.status == 200, joined
        pushed = await stranger.ask("POST", f"/chat/push/{room}", b"hello")
        assert pushed.status == 200, pushed
        cursor, said = joined.json["cursor"], list[str]()
        while not said:
            # What others say elsewhere may come first.
            read = await stranger.ask("GET", f"{pull}&since={cursor}")
            cursor = read.json["cursor"]
            said = [each["text"] for each in read.json["messages"] if each["room"] == room]
        assert said == ["hello"], said
    return time.monotonic() - began
