import asyncio
import subprocess
import tempfile
import unittest

from redis.exceptions import RedisError

from benchmarks.harness.chat import free_port
from chatapp.redis.engine import Engine, advice
from tests.support.engine import RedisServer
from tests.support.programs import needs


class UrlTests(unittest.TestCase):
    def test_a_url_names_hosts_user_master_and_database(self):
        for url, addresses, master, db, user in (
            ("redis://example.net", [("example.net", 6379)], "", 0, (None, None)),
            ("redis://10.0.0.1:7000/3", [("10.0.0.1", 7000)], "", 3, (None, None)),
            ("redis://[::1]:7000/", [("::1", 7000)], "", 0, (None, None)),
            ("redis://:s%40cret@h/1", [("h", 6379)], "", 1, (None, "s@cret")),
            ("redis+sentinel://u:p@a,b:1/m/2", [("a", 26379), ("b", 1)], "m", 2, ("u", "p")),
        ):
            with self.subTest(url):
                engine = Engine(url)
                self.assertEqual(addresses, engine._addresses)
                self.assertEqual((master, db), (engine._master, engine._db))
                options = engine._options
                self.assertEqual(user, (options["username"], options["password"]))

    def test_a_wrong_url_is_refused_with_what_is_wrong(self):
        for url, line in (
            ("http://h", "names no Redis"),
            ("redis://", "a host is missing"),
            ("redis://h:0x1", "no port from 1 to 65535"),
            ("redis://h:99999", "no port from 1 to 65535"),
            ("redis://a,b", "several hosts"),
            ("redis://h/chat", "the database is a number"),
            ("redis://h/1/2", "the database is a number"),
            ("redis://h?retry=1", "'retry=1' is not known"),
            ("redis://h?ca=x", "ca belongs to rediss"),
            ("rediss://h?ca=/nowhere", "No such file"),
            ("redis+sentinel://h", "the name of the master is missing"),
            ("redis+sentinel://h/m/x", "the database is a number"),
        ):
            with self.subTest(url), self.assertRaisesRegex(ValueError, line):
                Engine(url)

    def test_a_certificate_that_is_none_is_named(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("no certificate")
            file.flush()
            with self.assertRaisesRegex(ValueError, f"ca = '{file.name}'"):
                Engine(f"rediss://h?ca={file.name}")

    def test_it_is_shown_without_its_password(self):
        self.assertEqual("redis://h:1/2", str(Engine("redis://user:secret@h:1/2")))
        with self.assertRaises(ValueError) as caught:
            Engine("redis://user:secret@h/x")
        self.assertNotIn("secret", str(caught.exception))


@needs("redis-server")
class TLSTests(unittest.IsolatedAsyncioTestCase):
    async def test_the_certificate_has_to_be_trusted_and_of_that_host(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        certificate, key = f"{folder}/cert.pem", f"{folder}/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        port = free_port()
        self.enterContext(
            RedisServer(
                "redis-server", tls_port=port, tls_cert_file=certificate, tls_key_file=key,
                tls_ca_cert_file=certificate, tls_auth_clients="no",
            )
        )  # fmt: skip
        await self.ping(f"rediss://localhost:{port}/0?ca={certificate}")
        for url in (
            f"rediss://localhost:{port}/0",
            f"rediss://127.0.0.1:{port}/0?ca={certificate}",
            f"redis://localhost:{port}/0",
        ):
            with self.subTest(url), self.assertRaises(RedisError):
                await self.ping(url)

    async def ping(self, url):
        client = Engine(url).client()
        try:
            self.assertTrue(await client.ping())
        finally:
            await client.aclose()


class ClientTests(unittest.IsolatedAsyncioTestCase):
    async def test_neither_client_sends_a_command_twice_or_gives_up_waiting(self):
        server = self.enterContext(RedisServer())
        engine = Engine(server.url)
        for client, patience in ((engine.client(), 5.0), (engine.blocking_client(), None)):
            self.assertTrue(await client.ping())
            connection = await client.connection_pool.get_connection()
            self.assertEqual(0, connection.retry.get_retries())
            self.assertEqual(patience, connection.socket_timeout)
            await client.connection_pool.release(connection)
            await client.aclose()

    async def test_a_connection_that_was_closed_meanwhile_is_not_used(self):
        server = self.enterContext(RedisServer())
        client = Engine(server.url).client()
        self.addAsyncCleanup(client.aclose)
        await client.ping()
        server.kill()
        server.start()
        await asyncio.sleep(0.05)
        self.assertTrue(await client.ping())

    async def test_settings_that_can_lose_messages_are_named(self):
        server = self.enterContext(RedisServer())
        client = Engine(server.url).client()
        self.addAsyncCleanup(client.aclose)
        self.assertEqual([], list(advice(await client.info())))
        await client.config_set("appendonly", "no")
        await client.config_set("maxmemory", "100mb")
        [line] = advice(await client.info())
        self.assertRegex(line, "appendonly no")
        await client.config_set("maxmemory-policy", "allkeys-lru")
        line, _ = advice(await client.info())
        self.assertRegex(line, "allkeys-lru deletes messages")
