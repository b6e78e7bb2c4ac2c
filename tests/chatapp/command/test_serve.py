"""`chatapp serve` needs no ini and keeps what was said."""

import asyncio
import os
import signal
import socket
import tempfile
import unittest
from pathlib import Path

from benchmarks.harness.server import eventually
from chatapp.bots import ChatClient, Message
from tests.chatapp.command.program import ServedByCommand, run


async def heard(url, *texts):
    """The text that another client gets of each that one sends."""
    found = []
    async with ChatClient(url) as writer, ChatClient(url) as reader:
        await reader.join()
        for text in texts:
            await writer.send(text)
        async for event in reader.follow():
            if isinstance(event, Message):
                found.append(event.text)
            if len(found) == len(texts):
                return found


class ServeTests(unittest.TestCase):
    def test_two_clients_talk(self):
        with ServedByCommand() as server:
            self.assertEqual(["one", "two"], asyncio.run(heard(server.url, "one", "two")))
            self.assertIn(f"serving on {server.url}", server.log)

    def test_a_bot_that_has_ended_gives_its_name_back(self):
        async def twice(url):
            for _ in range(2):
                async with ChatClient(url, nick="robot") as robot:
                    await robot.join(patience=0)

        with ServedByCommand() as server:
            server.logged("serving on")
            asyncio.run(twice(server.url))

    def test_messages_and_the_secret_are_in_the_folder_and_for_the_owner_alone(self):
        with ServedByCommand() as server:
            asyncio.run(heard(server.url, "kept"))
            server.kill()
            server.start()
            data = server.folder / "data"
            self.assertLessEqual({"chat.db", "secret"}, set(os.listdir(data)))
            self.assertEqual(0o600, (data / "secret").stat().st_mode & 0o777)
            self.assertEqual(["again"], asyncio.run(heard(server.url, "again")))

    def test_a_reload_starts_the_same_command(self):
        with ServedByCommand() as server:
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda: "a new process serves" in server.log, True)
            self.assertEqual(["on"], asyncio.run(heard(server.url, "on")))

    def test_what_keeps_it_from_serving_is_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            file.write_text("")
            for arguments, line in {
                ("--port", "many"): "chatapp: port = 'many': not a whole number\n",
                ("--port", "0", "--data", file): f"chatapp: {file}: File exists\n",
            }.items():
                self.assertEqual((1, "", line), run("serve", *arguments))
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
                line = f"chatapp: cannot listen on 127.0.0.1:{port}: Address already in use\n"
                self.assertEqual((1, "", line), run("serve", "--port", port, "--data", folder))
