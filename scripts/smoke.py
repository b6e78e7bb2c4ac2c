"""Serve the chat with `paster serve test.ini` and carry a message from one session to another.

python scripts/smoke.py FOLDER     # the environment is FOLDER/venv; its data goes to FOLDER
"""

import http.client
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

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


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"the server does not answer; exit status {process.poll()}")


def main(folder: Path) -> None:
    port = free_port()
    shutil.copy("test.ini", folder / "test.ini")
    paster = folder / "venv/bin/paster"
    environment = {**os.environ, "PYTHONWARNINGS": "ignore:pkg_resources is deprecated:UserWarning"}
    process = subprocess.Popen(
        [paster, "serve", folder / "test.ini", f"http_port={port}"], env=environment
    )
    try:
        wait_for(port, process)
        reader, writer = Session(port), Session(port)
        assert b"<html" in reader.ask("GET", "/").lower()
        reader.ask("GET", "/chat/pull")
        writer.ask("POST", "/chat/push", b"hello from afar")
        news = reader.ask("GET", "/chat/pull")
        assert news.endswith(b": hello from afar\r\n"), news
    finally:
        process.terminate()
        status = process.wait(15)
    assert status == 0, f"exit status {status}"
    sys.stdout.write(f"Python {platform.python_version()}: served, and a message went across\n")


main(Path(sys.argv[1]))
