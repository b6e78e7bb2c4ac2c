"""The control socket: who may ask, what is no request, who else may have it."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

from chatapp.console import control as module
from chatapp.console.client import NotReached, ask
from chatapp.console.control import MOST_REQUEST, Control
from chatapp.console.errors import ConsoleError
from cogen.core.groups import TaskGroup
from cogen.core.schedulers import Scheduler

LOG = "/srv/chat.db"


class Echo:
    """In the place of a console: says what it was asked."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def run(self, verb, given):
        if verb == "wait":
            self.begun.set()
            await self.go.wait()
        if verb == "fail":
            raise ConsoleError("that cannot be")
        for number in range(given.get("lines", 1)):
            yield f"{verb} {number}"


class ControlTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "control.sock"
        self.scheduler = Scheduler.current()
        self.group = TaskGroup()
        self.echo = Echo()
        self.control = self.made()
        self.addAsyncCleanup(self.end)

    async def end(self):
        self.echo.go.set()
        self.group.cancel()
        await self.group.join(20)
        self.control.stop()

    def made(self):
        return Control(self.echo, str(self.folder), LOG)

    async def ask(self, verb, **given):
        return await asyncio.to_thread(lambda: list(ask(str(self.folder), verb, given, LOG)))

    async def raw(self, sent, eof=False):
        """What the server says to these bytes, until it closes."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        self.assertEqual({"chat": 1, "log": LOG}, json.loads(await reader.readline()))
        try:
            writer.write(sent)
            if eof:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()

    async def warned(self, control, line):
        with self.assertLogs("chatapp.console.control", "WARNING") as logs:
            await control.start(self.group)
        self.assertRegex(logs.output[0], f"commands cannot reach this chat: .*{line}")

    async def test_what_is_asked_is_answered_in_lines(self):
        await self.control.start(self.group)
        self.assertEqual(["x 0"], await self.ask("x"))
        self.assertEqual([f"x {n}" for n in range(1001)], await self.ask("x", lines=1001))
        self.assertEqual([], await self.ask("x", lines=0))
        with self.assertRaisesRegex(ConsoleError, "that cannot be"):
            await self.ask("fail")

    async def test_it_is_for_its_owner_alone_whatever_the_umask(self):
        before = os.umask(0)
        try:
            await self.control.start(self.group)
            self.assertEqual(0, os.umask(0))
        finally:
            os.umask(before)
        self.assertEqual(0o600, stat.S_IMODE(self.path.stat().st_mode))

    async def test_what_is_no_request_is_told_so_in_a_line(self):
        await self.control.start(self.group)
        for sent in (b"\n", b"hello\n", b"\x00\xff\n", b"[]\n", b'{"verb": 1, "given": {}}\n',
                     b'{"verb": "x", "given": []}\n', b"GET / HTTP/1.1\r\n\r\n"):  # fmt: skip
            answer = json.loads(await self.raw(sent))
            self.assertIn("that is no request", answer["error"], sent)
        half = await self.raw(b'{"verb": "x", "given": {}}', eof=True)
        self.assertIn("that is no request", json.loads(half)["error"])
        long = json.loads(await self.raw(b"x" * (MOST_REQUEST + 1)))
        self.assertEqual("a request has at most 65536 bytes", long["error"])
        self.assertEqual(["x 0"], await self.ask("x"))

    async def test_who_says_nothing_does_not_stay(self):
        self.enterContext(unittest.mock.patch.object(module, "_REQUEST_SECONDS", 0.05))
        await self.control.start(self.group)
        half = json.loads(await self.raw(b'{"verb"'))
        self.assertEqual("nothing was asked for in 0.05 s", half["error"])

    async def test_a_thousand_connections_are_answered_one_after_the_other(self):
        await self.control.start(self.group)
        answers = await asyncio.gather(
            *[self.raw(b'{"verb": "x", "given": {}}\n') for _ in range(1000)]
        )
        self.assertEqual({b'{"lines":["x 0"]}\n{"done":true}\n'}, set(answers))

    async def test_who_leaves_meanwhile_harms_nobody(self):
        await self.control.start(self.group)
        for _ in range(100):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(self.path))
                sock.sendall(b'{"verb": "x", "given": {"lines": 10000}}\n')
        self.assertEqual(["x 0"], await self.ask("x"))

    async def test_a_socket_that_a_dead_server_has_left_is_taken(self):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(self.path))
        await self.control.start(self.group)
        self.assertEqual(["x 0"], await self.ask("x"))

    async def test_one_that_lives_is_not_taken(self):
        await self.control.start(self.group)
        other = self.made()
        await self.warned(other, "control.sock.*in use")
        await other.hand_over()
        self.assertEqual(["x 0"], await self.ask("x"))

    async def test_what_is_no_socket_is_left_there(self):
        self.path.write_text("mine")
        await self.warned(self.control, "no socket")
        self.path.unlink()
        self.path.symlink_to(self.folder / "elsewhere")
        await self.warned(self.control, "is a link")

    async def test_a_path_that_is_too_long_and_a_folder_that_is_not_there(self):
        await self.warned(Control(self.echo, f"/tmp/{'x' * 100}", LOG), "too long for a socket")
        await self.warned(Control(self.echo, str(self.folder / "no"), LOG), "No such file")
        for data in (f"/tmp/{'x' * 100}", str(self.folder / "no"), str(self.folder)):
            with self.assertRaises(NotReached):
                next(ask(data, "x", {}, LOG))

    async def test_what_is_being_done_is_done_before_another_server_takes_it(self):
        await self.control.start(self.group)
        asked = asyncio.create_task(self.ask("wait"))
        await self.echo.begun.wait()
        left = asyncio.create_task(self.control.hand_over())
        with self.assertRaises(NotReached):
            await self.ask("x")
        self.assertFalse(left.done())
        self.echo.go.set()
        await left
        self.assertEqual(["wait 0"], await asked)
        other = self.made()
        await other.start(self.group)
        self.assertEqual(["x 0"], await self.ask("x"))
        await other.hand_over()
        await self.control.take_back()
        self.assertEqual(["x 0"], await self.ask("x"))

    async def test_it_is_gone_with_the_server(self):
        await self.control.start(self.group)
        await self.end()
        self.assertFalse(self.path.exists())

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    async def test_another_user_is_refused_though_the_file_would_let_them(self):
        await self.control.start(self.group)
        self.folder.chmod(0o755)
        asked = (
            "import os, sys\n"
            "from chatapp.console.client import ask\n"
            "os.setuid(65534)\n"
            "try: print(list(ask(sys.argv[1], 'x', {}, '/srv/chat.db')))\n"
            "except Exception as error: print(error)\n"
        )
        for mode, line in ((0o600, "Permission denied: be the user"), (0o666, "user 65534 does")):
            self.path.chmod(mode)
            done = await asyncio.to_thread(
                subprocess.run, [sys.executable, "-c", asked, self.folder],
                capture_output=True, text=True, timeout=30, check=False,
            )  # fmt: skip
            self.assertIn(line, done.stdout, done.stderr)
