"""The image's files: what each says, and the three services of compose.yaml beside one another.

What takes minutes and root, the stages in roots of their own, is `make image-test`.
"""

import asyncio
import re
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.harness.chat import BIN, ChatServer
from chatapp.command.config import configuration, settings_of
from tests.containers.dockerfile import CONTEXT, FOLDER, stages
from tests.docs.pages import blocks
from tests.support.engine import RedisServer
from tests.support.nginx import NginxServer
from tests.support.programs import needs
from tests.support.talk import talk

COMPOSE = (FOLDER / "compose.yaml").read_text()
NGINX = (FOLDER / "nginx.conf").read_text()


class DockerfileTests(unittest.TestCase):
    def test_the_last_stage_compiles_nothing_and_serves_as_somebody_who_is_not_root(self):
        build, last = stages()
        self.assertIn("gcc", f"{build}")
        self.assertNotIn("gcc", f"{last}")
        names = [instruction.name for instruction in last.instructions]
        self.assertIn("HEALTHCHECK", names)
        self.assertGreater(names.index("ENTRYPOINT"), names.index("USER"))
        self.assertIn(("USER", "chat"), last.instructions)

    def test_no_file_has_a_secret(self):
        for path in FOLDER.iterdir():
            for name, value in re.findall(
                r"(?i)([\w.]*(?:secret|password))[=:] *(\S+)", path.read_text()
            ):
                self.assertRegex(value, r"^\$\{CHAT_\w+:\?", f"{path.name}: {name}")


def ini_of_the_image():
    """What its RUN of `chatapp config` prints."""
    text = " ".join(instruction.text for instruction in stages()[-1].instructions)
    [words] = re.findall(r"chatapp config (.*?) > production.ini", text)
    return settings_of(words.split())


def command_of_the_chat():
    """What compose.yaml has behind the entry point."""
    chat = COMPOSE[COMPOSE.index("  chat:") : COMPOSE.index("  redis:")]
    return dict(re.findall(r"^ +- ([\w.]+)=(.*)$", chat, re.MULTILINE))


class ImageServer(ChatServer):
    """By the entry point of the image."""

    def command(self):
        [entry] = [each for each in stages()[-1].instructions if each.name == "ENTRYPOINT"]
        program, *arguments = entry.words
        assert arguments == ["production.ini"]
        return [BIN / Path(program).name, self.ini, *self.arguments]


class _Nginx(NginxServer):
    """As nginx.conf has it, in front of `address`."""

    def __init__(self, address):
        super().__init__()
        self.address = address

    @property
    def http(self):
        text = NGINX.replace("chat:8080", self.address)
        return text.replace("listen 80;", f"listen 127.0.0.1:{self.port};")


@needs("nginx")
class ComposeTests(unittest.TestCase):
    def test_nginx_is_as_the_guide_has_it(self):
        [documented, *_] = blocks(CONTEXT / "docs/deployment.md", "nginx")
        location = re.compile(r"location / \{.*?\}", re.DOTALL)
        self.assertEqual(location.search(documented.text)[0], location.search(NGINX)[0])

    def test_the_chat_speaks_through_nginx_and_redis_by_their_settings(self):
        options = dict(re.findall(r"--(\w+[\w-]*) (\S+)", COMPOSE))
        self.assertEqual('"$$CHAT_REDIS_PASSWORD"', options.pop("requirepass"))
        options = {name.replace("-", "_"): text.strip('"') for name, text in options.items()}
        server = ImageServer()
        paths = {"host": "127.0.0.1", "chat.data": "%(here)s/data"}
        server.ini.write_text(configuration({**ini_of_the_image(), **paths}))
        with RedisServer(**options) as redis:
            redis.command("CONFIG", "SET", "requirepass", "s3cret")
            address = redis.url.removeprefix("redis://").removesuffix("/0")
            # Addresses are those of this machine.
            command = {**command_of_the_chat(), "trusted_proxies": "127.0.0.1"}
            command["chat.log"] = command["chat.log"].replace("redis:6379", address)
            server.arguments = [f"port={server.port}"]
            server.arguments += [f"{name}={value}" for name, value in command.items()]
            server.environment = {"CHAT_REDIS_PASSWORD": "s3cret", "CHAT_SECRET": "x" * 64}
            with server, _Nginx(f"127.0.0.1:{server.port}") as nginx:
                server.logged("serving on")
                self.assertEqual(["one", "two"], asyncio.run(talk(nginx.url)))
                with urllib.request.urlopen(f"{server.url}metrics") as figures:
                    self.assertIn(b"chat_log_up", figures.read())
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(f"{nginx.url}metrics")
                self.assertEqual(404, refused.exception.code)
                refused.exception.close()
