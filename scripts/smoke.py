"""Start a server as a user would, and see that it does what it is for.

python scripts/smoke.py chat COMMAND...     # two talk, and after `kill -9` it is still there
python scripts/smoke.py hello COMMAND...    # what it serves says hello
python scripts/smoke.py wheels FOLDER       # they have all files, those compiled too, and no others
python scripts/smoke.py says PATTERN COMMAND...  # what it prints matches

COMMAND has {port} where its port belongs, and is started in the folder that this is started in.
"""

import http.client
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from compiled import SETUPS, compiled_modules

ROOT = Path(__file__).parents[1]
START_SECONDS = 20


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Session:
    """One person: a connection and its cookies."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, {"Cookie": cookies} if cookies else {})
        answer = self.connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        content = answer.read()
        assert answer.status == 200, (method, path, answer.status, content)
        return content


@contextmanager
def served(command: list[str], end: signal.Signals) -> Iterator[int]:
    """The port at which `command` serves meanwhile; it is ended by the signal `end`."""
    port = free_port()
    environment = {**os.environ, "PYTHONWARNINGS": "ignore:pkg_resources is deprecated:UserWarning"}
    process = subprocess.Popen(
        [word.replace("{port}", str(port)) for word in command], env=environment
    )
    try:
        wait_for(port, process)
        yield port
    finally:
        process.send_signal(end)
        status = process.wait(15)
    expected = 0 if end is signal.SIGTERM else -end
    assert status == expected, f"exit status {status}"


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"the server does not answer; exit status {process.poll()}")


def chat(*command: str) -> str:
    with served([*command], signal.SIGKILL) as port:
        reader, writer = Session(port), Session(port)
        assert b"<html" in reader.ask("GET", "/").lower()
        reader.ask("GET", "/chat/pull")
        writer.ask("POST", "/chat/push", b"hello from afar")
        news = reader.ask("GET", "/chat/pull")
        assert news.endswith(b": hello from afar\r\n"), news
    with served([*command], signal.SIGTERM) as port:
        history = Session(port).ask("GET", "/chat/history/lobby")
        assert b"hello from afar" in history, history
    return "a message went across, and was there after kill -9"


def hello(*command: str) -> str:
    with served([*command], signal.SIGTERM) as port:
        said = Session(port).ask("GET", "/")
        assert said == b"hello", said
    return "what is served says hello"


def wheels(folder: str) -> str:
    listed = subprocess.run(
        ["git", "ls-files", "cogen", "pylons", "chatapp"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    held = []
    for wheel in Path(folder).glob("*.whl"):
        names = zipfile.ZipFile(wheel).namelist()
        held += [name for name in names if ".dist-info/" not in name]
        for ending in ("METADATA", "entry_points.txt", "licenses/LICENSE"):
            assert any(name.endswith(f".dist-info/{ending}") for name in names), (wheel, ending)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    libraries = [name for name in held if name.endswith(f"__mypyc{suffix}")]
    assert len(libraries) == len(SETUPS), libraries
    compiled = [f"{module}{suffix}" for module in compiled_modules()]
    expected = [*listed, *libraries, *compiled]
    assert sorted(held) == sorted(expected), set(held) ^ set(expected)
    return f"the wheels have all {len(listed)} files, {len(compiled)} of them compiled too"


def says(pattern: str, *command: str) -> str:
    said = subprocess.check_output(command, text=True).strip()
    assert re.fullmatch(pattern, said), said
    return said


VERBS: dict[str, Callable[..., str]] = {
    "chat": chat,
    "hello": hello,
    "wheels": wheels,
    "says": says,
}

if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    sys.stdout.write(f"Python {platform.python_version()}: {VERBS[verb](*arguments)}\n")
