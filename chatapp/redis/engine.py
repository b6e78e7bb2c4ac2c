"""Where the Redis or Valkey is, from a URL, and clients of it.

redis-py's own defaults send a command again whose answer was lost, which doubles a write, and break
off a read that blocks. Neither client here retries anything: who uses it knows what is safe.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from chatapp.redis import SCHEMES

__all__ = ["Engine", "EngineUnavailable", "advice"]

_FORM = "redis://[USER:PASSWORD@]HOST[:PORT][/DB]"
_SENTINEL_FORM = "redis+sentinel://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/MASTER[/DB]"
_PASSWORD = "CHAT_REDIS_PASSWORD"
_PORT, _SENTINEL_PORT = 6379, 26379
# Seconds for a connection, and for the answer to a command that does not block.
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
# A request may ask several things in turn. Once nothing was answered for the first of these parts
# of that time, what is asked then waits for the second: together it is what the guide promises.
_FIRST_PART, _MORE_PART = 0.9, 0.04
_stalled: set[str] = set()


class _Address(NamedTuple):
    host: str
    port: int


class _Pool(SentinelConnectionPool):
    """Closes the connections to the Sentinels with those to the master; redis-py leaves them."""

    async def aclose(self) -> None:
        await super().aclose()
        for sentinel in self.sentinel_manager.sentinels:
            await sentinel.aclose()


class EngineUnavailable(Exception):
    """It did not do what was asked, or did not say whether it did; the message says why."""


class Engine:
    """Makes clients of what `url` names; connects to nothing by itself.

    `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, or `redis+sentinel://` with the addresses of
    Sentinels and the name of the master that they watch: HOST[:PORT][,HOST[:PORT]...]/MASTER[/DB].
    `rediss` and `rediss+sentinel` are the same over TLS; `?ca=FILE` names the certificates that
    are trusted, in place of the system's. A password that the URL does not have is that of the
    variable CHAT_REDIS_PASSWORD, if there is one. Raises ValueError, naming what is wrong.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise ValueError(f"{_shown(parts)!r} names no Redis: {_FORM}")
        self._sentinel = parts.scheme.endswith("+sentinel")
        self._form = _SENTINEL_FORM if self._sentinel else _FORM
        self._shown = _shown(parts)
        self._addresses = self._parse_addresses(parts.netloc.rpartition("@")[2])
        self._master, self._db = self._parse_path(parts.path)
        self._options: dict[str, Any] = {
            "username": unquote(parts.username) if parts.username else None,
            "password": _password(parts),
            "db": self._db,
            "socket_connect_timeout": _CONNECT_SECONDS,
            "socket_keepalive": True,
            "retry": Retry(NoBackoff(), 0),
            # With them on, a connection that was closed meanwhile is not noticed before it is used.
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }
        self._tls = self._parse_tls(parts)

    def client(self) -> "Redis":
        """For commands: fails after a few seconds without an answer."""
        return self._made(socket_timeout=_ANSWER_SECONDS)

    def blocking_client(self) -> "Redis":
        """For one command at a time that waits as long as it likes."""
        return self._made(socket_timeout=None)

    @property
    def patience(self) -> float:
        """Seconds in which an answer has to come, however many wait for one."""
        stalled = self._shown in _stalled
        return _ANSWER_SECONDS * (_MORE_PART if stalled else _FIRST_PART)

    def answered(self, in_time: bool) -> None:
        """All who use the engine in this process know then whether it is worth waiting for."""
        if in_time:
            _stalled.discard(self._shown)
        else:
            _stalled.add(self._shown)

    def _made(self, **options: Any) -> "Redis":
        options = {**self._options, **self._tls, **options}
        if not self._sentinel:
            [address] = self._addresses
            return Redis(host=address.host, port=address.port, **options)
        # A Sentinel that does not answer must not hold up those that do.
        asking = {
            "socket_timeout": _CONNECT_SECONDS,
            "socket_connect_timeout": _CONNECT_SECONDS,
            "retry": options["retry"],
            **self._tls,
        }
        sentinel = Sentinel(self._addresses, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
        client: Redis = sentinel.master_for(self._master, connection_pool_class=_Pool, **options)
        return client

    def _parse_addresses(self, text: str) -> list[_Address]:
        default = _SENTINEL_PORT if self._sentinel else _PORT
        addresses = []
        for each in text.split(","):
            parts = urlsplit(f"//{each}")
            try:
                port = parts.port or default
            except ValueError:
                raise self._wrong(f"{each!r} has no port from 1 to 65535") from None
            if not parts.hostname:
                raise self._wrong("a host is missing")
            addresses.append(_Address(parts.hostname, port))
        if len(addresses) > 1 and not self._sentinel:
            raise self._wrong("it names several hosts")
        return addresses

    def _parse_path(self, path: str) -> tuple[str, int]:
        names = [unquote(name) for name in path.strip("/").split("/") if name]
        master = ""
        if self._sentinel:
            if not names:
                raise self._wrong("the name of the master is missing")
            master = names.pop(0)
        if len(names) > 1 or not all(name.isascii() and name.isdigit() for name in names):
            raise self._wrong("the database is a number, 0 without one")
        return master, int(names[0]) if names else 0

    def _parse_tls(self, parts: SplitResult) -> dict[str, Any]:
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        ca = query.pop("ca", None)
        if query or parts.fragment:
            raise self._wrong(f"{(parts.query or parts.fragment)!r} is not known here")
        if not parts.scheme.startswith("rediss"):
            if ca is not None:
                raise self._wrong("ca belongs to rediss://")
            return {}
        if ca is not None:
            try:
                ssl.create_default_context(cafile=ca)
            except OSError as error:
                raise self._wrong(f"ca = {ca!r}: {error.strerror or error}") from None
        return {"ssl": True, "ssl_ca_certs": ca}

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"{self._shown}: {what}; the form is {self._form}")

    def __str__(self) -> str:
        return self._shown


def advice(info: Mapping[str, Any]) -> Iterator[str]:
    """What is set up in a way that can lose messages, by the engine's answer to INFO."""
    if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
        yield (
            f"maxmemory-policy {info.get('maxmemory_policy')} deletes messages that are to be kept;"
            " noeviction refuses new ones"
        )
    if info.get("aof_enabled") == 0:
        yield "appendonly no: what is stored is lost when it ends; appendonly yes keeps it"


def _shown(parts: SplitResult) -> str:
    """The URL as it may be written down: without a password."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _password(parts: SplitResult) -> str | None:
    """That of the URL, else of the environment, where a file that is shown holds none."""
    return unquote(parts.password) if parts.password else os.environ.get(_PASSWORD) or None
