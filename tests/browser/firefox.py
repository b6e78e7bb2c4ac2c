"""Real Firefox over WebDriver BiDi, for what another engine may see otherwise."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness.chat import free_port
from benchmarks.harness.programs import installed

__all__ = ["FIREFOX", "Firefox"]

NAMES = ("firefox-esr", "firefox")
FIREFOX = installed(*NAMES)
PATIENCE = 60  # seconds
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "layout.css.prefers-color-scheme.content-override": 0,  # dark
    "app.normandy.enabled": False,
    "ui.useOverlayScrollbars": 0,
}


class Firefox:
    """An async context manager: a tab; `errors` holds what its console told."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._number = 0

    async def __aenter__(self) -> Firefox:
        self._folder = tempfile.TemporaryDirectory()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        Path(self._folder.name, "user.js").write_text("\n".join(lines))
        port = free_port()
        self._process = subprocess.Popen(
            [str(FIREFOX), "--headless", "--no-remote", "--profile", self._folder.name,
             "--remote-debugging-port", str(port)],
            env={**os.environ, "HOME": self._folder.name, "TMPDIR": self._folder.name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._session = aiohttp.ClientSession()
        self._socket = await self._connect(f"ws://127.0.0.1:{port}/session")
        await self.call("session.new", capabilities={})
        await self.call("session.subscribe", events=["log.entryAdded"])
        [context] = (await self.call("browsingContext.getTree"))["contexts"]
        self._context = context["context"]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._socket.close()
        await self._session.close()
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    async def _connect(self, url: str) -> aiohttp.ClientWebSocketResponse:
        for _ in range(PATIENCE * 5):
            try:
                return await self._session.ws_connect(url, max_msg_size=0)
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
        raise AssertionError("Firefox does not listen")

    async def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        await self._socket.send_json(message)
        while True:
            answer = await self._socket.receive_json(timeout=PATIENCE)
            if answer.get("method") == "log.entryAdded":
                if answer["params"]["level"] in ("error", "warn"):
                    self.errors.append(answer["params"]["text"])
            elif answer.get("id") == self._number:
                assert answer["type"] == "success", answer
                return answer["result"]

    async def open(self, url: str, width: int, height: int) -> None:
        viewport = {"width": width, "height": height}
        await self.call("browsingContext.setViewport", context=self._context, viewport=viewport)
        await self.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value of `expression` as JSON carries it."""
        found = await self.call(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self._context},
            awaitPromise=False,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"].get("value", "null"))

    async def wait_until(self, expression: str) -> None:
        for _ in range(PATIENCE * 20):
            if await self.evaluate(f"Boolean({expression})"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{expression} does not become true")
