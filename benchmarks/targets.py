"""The servers that are compared: how each is started and what it needs."""

import dataclasses
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness.ini import chat_ini

__all__ = ["COMPILED", "POLL_SECONDS", "ROOT", "TARGETS", "Site", "Target"]

Command = list[str]
ROOT = Path(__file__).parents[1]
# Where `make compiled` puts cogen, of the sources as they are.
COMPILED = Path(
    subprocess.check_output(
        [sys.executable, ROOT / "scripts/compiled.py", "tree"], text=True
    ).rstrip()
)
POLL_SECONDS = 10  # that a poll is held, if nobody says otherwise
_CHATS = Path(__file__).with_name("chats")
_NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")  # where Debian has it


@dataclasses.dataclass(frozen=True)
class Site:
    """Where a server lives for one run: a folder of its own and free ports."""

    folder: Path
    port: int
    engine_port: int  # for a database, if it has one
    poll_seconds: int = POLL_SECONDS


@dataclasses.dataclass(frozen=True)
class Target:
    """`commands(site)` are the processes to start, the server last; all of them are counted."""

    name: str
    title: str
    commands: Callable[[Site], list[Command]]
    needs: tuple[str, ...] = ()  # modules; programs and files with a leading `/`
    wire: str = "chat"
    probe: str = "/probe"
    ours: bool = False
    workers: int = 1
    by_default: bool = True  # else it runs only when it is named
    compiled: bool = True  # cogen is, where there is a compiled one

    def missing(self) -> list[str]:
        """What it needs and is not installed here."""
        return [need for need in self.needs if not _is_there(need)]


def _is_there(need: str) -> bool:
    if need.startswith("/"):
        return Path(need).exists() or shutil.which(need[1:]) is not None
    return importlib.util.find_spec(need) is not None


def _bin(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _bare(threads: str) -> Callable[[Site], list[Command]]:
    command = [_bin("cogen-serve"), "--threads", threads, "benchmarks.chats.bare:application"]
    return lambda site: [[*command, "--port", str(site.port)]]


def _uvicorn(module: str) -> Callable[[Site], list[Command]]:
    def commands(site: Site) -> list[Command]:
        return [
            [
                sys.executable, "-m", "uvicorn", f"benchmarks.chats.{module}:application",
                "--port", str(site.port), "--loop", "uvloop", "--http", "httptools",
                "--lifespan", "off", "--no-access-log", "--log-level", "warning",
                "--timeout-keep-alive", "75",
            ]
        ]  # fmt: skip

    return commands


def _module(name: str) -> Callable[[Site], list[Command]]:
    return lambda site: [[sys.executable, "-m", f"benchmarks.chats.{name}", str(site.port)]]


# The chat as it is shipped. Its limits stay on; those of one person's pushes and of all clients
# are wide enough for the benchmark, which has all its clients at one address: that has none.
_CHAT = {
    "chat.push_rate": 1_000_000,
    "chat.push_burst": 1_000_000,
    "chat.max_clients": 100_000,
    "chat.address_clients": 0,
    "chat.address_sessions": 0,
    "chat.address_rooms": 0,
    "chat.address_push_rate": 0,
}
# What a proxy in front says of each client.
_KNOWN = {"chat.identity": "host", "chat.user_header": "Remote-User"}


def _chat(
    log: str, workers: int = 1, poll_timeout: int = 0, known: bool = False
) -> Callable[[Site], list[Command]]:
    def commands(site: Site) -> list[Command]:
        server: dict[str, object] = {"port": site.port, "workers": workers}
        if known:
            server |= {"trusted_proxies": "127.0.0.1", "health_path": "/healthz"}
        app = {
            "chat.log": log.format(folder=site.folder, engine_port=site.engine_port),
            "chat.data": site.folder / "data",
            "chat.poll_timeout": poll_timeout or site.poll_seconds,
            **(_KNOWN if known else {}),
        }
        ini = site.folder / "chat.ini"
        ini.write_text(chat_ini(server, {**app, **_CHAT}))
        return [[_bin("paster"), "serve", str(ini)]]

    return commands


def _node(site: Site) -> list[Command]:
    return [["node", str(_CHATS / "node_chat.js"), str(site.port)]]


def _nchan(site: Site) -> list[Command]:
    configuration = site.folder / "nginx.conf"
    text = (_CHATS / "nchan.conf").read_text()
    configuration.write_text(text.format(**dataclasses.asdict(site), module=_NCHAN))
    site.folder.chmod(0o755)  # started by root, its worker is somebody else
    return [["nginx", "-c", str(configuration), "-e", "stderr"]]


def _redis_chat(workers: int, poll_timeout: int = 0) -> Callable[[Site], list[Command]]:
    chat = _chat("redis://127.0.0.1:{engine_port}/0", workers, poll_timeout)

    def commands(site: Site) -> list[Command]:
        engine = [
            "redis-server", "--port", str(site.engine_port), "--bind", "127.0.0.1",
            "--dir", str(site.folder), "--appendonly", "yes", "--save", "",
        ]  # fmt: skip
        return [engine, *chat(site)]

    return commands


_REDIS = ("redis", "/redis-server")
_UVICORN = ("uvicorn", "uvloop", "httptools")
TARGETS = [
    Target("bare", "bare WSGI on cogen", _bare("0"), ours=True),
    Target("bare-threads", "bare WSGI on cogen, in threads", _bare("auto"), ours=True),
    Target("chat", "the chat, log in memory", _chat("memory:"), probe="/chat/nick", ours=True),
    Target(
        "chat-seed", "the chat, polls of the seed: text, no cursor", _chat("memory:"), wire="seed",
        probe="/chat/nick", ours=True,
    ),
    Target(
        "chat-known", "the chat, people known by a proxy", _chat("memory:", known=True),
        wire="known", probe="/healthz", ours=True, by_default=False,
    ),
    Target(
        "bare-python", "bare WSGI on cogen, not compiled", _bare("0"), (str(COMPILED),), ours=True,
        compiled=False,
    ),
    Target(
        "chat-python", "the chat, log in memory, not compiled", _chat("memory:"), (str(COMPILED),),
        probe="/chat/nick", ours=True, compiled=False,
    ),
    Target(
        "chat-sqlite", "the chat, log in SQLite", _chat("sqlite:///{folder}/chat.db"),
        probe="/chat/nick", ours=True,
    ),
    Target(
        "chat-redis", "the chat, log in Redis", _redis_chat(1), _REDIS, probe="/chat/nick",
        ours=True,
    ),
    Target(
        "chat-redis-2", "the chat, Redis, two workers", _redis_chat(2), _REDIS, probe="/chat/nick",
        ours=True, workers=2,
    ),
    Target(
        "chat-redis-4", "the chat, Redis, four workers, polls of 60 s", _redis_chat(4, 60), _REDIS,
        probe="/chat/nick", ours=True, workers=4, by_default=False,
    ),
    Target("asgi", "raw ASGI on uvicorn", _uvicorn("asgi"), _UVICORN),
    Target(
        "starlette", "Starlette with sessions on uvicorn", _uvicorn("starlette_chat"),
        (*_UVICORN, "starlette", "itsdangerous"),
    ),
    Target("aiohttp", "aiohttp on uvloop", _module("aiohttp_chat"), ("aiohttp", "uvloop")),
    Target("tornado", "tornado", _module("tornado_chat"), ("tornado",)),
    Target("gevent", "bare WSGI on gevent", _module("gevent_chat"), ("gevent",)),
    Target("flask", "Flask on gevent", _module("flask_chat"), ("flask", "gevent")),
    Target("node", "Node's http", _node, ("/node",)),
    Target("nchan", "nginx's nchan", _nchan, ("/nginx", str(_NCHAN)), wire="nchan"),
]  # fmt: skip
