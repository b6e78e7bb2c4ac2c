"""The page of Flask that asks a real Redis and a real web service, in threads and on the loop."""

import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.harness.server import eventually
from tests.examples.support import ExampleServer, lines_of_code
from tests.support.engine import RedisServer


class Weather(BaseHTTPRequestHandler):
    """`/nowhere` is not answered before its client has left, or the test is over."""

    over = threading.Event()
    asked = []
    left = []

    def do_GET(self):
        if self.path == "/nowhere":
            self.asked.append(self.path)
            while not self.over.is_set() and self.connection.recv(1):
                pass
            self.left.append(self.path)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"rain")

    def log_message(self, *args):
        pass


class FlaskRedisTests(unittest.TestCase):
    def setUp(self):
        Weather.asked.clear()
        Weather.left.clear()
        Weather.over.clear()
        self.redis = self.enterContext(RedisServer())
        weather = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
        thread = threading.Thread(target=weather.serve_forever, args=(0.01,))
        thread.start()
        for cleanup in (weather.server_close, thread.join, weather.shutdown, Weather.over.set):
            self.addCleanup(cleanup)
        self.environment = {
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}",
            "WEATHER_URL": f"http://127.0.0.1:{weather.server_port}",
        }

    def check(self, **options):
        with ExampleServer("flask_redis.py", self.environment, **options) as server:
            with server.connect() as client:
                for visit in (1, 2):
                    self.assertEqual(
                        f"rain in Bath, visit {visit}\n".encode(), client.get("/Bath").body
                    )
                begun = time.monotonic()
                answer = client.get("/nowhere")
                self.assertEqual((504, b"too slow\n"), (answer.status, answer.body))
                self.assertGreater(time.monotonic() - begun, 1.9)
                # What was waited for is over, and the connection to the service with it.
                eventually(lambda: Weather.left, ["/nowhere"])
                self.assertEqual(b"rain in Bath, visit 3\n", client.get("/Bath").body)
            self.assertEqual(0, server.stop(), server.log)
            self.assertNotIn("Traceback", server.log)
            self.assertNotIn("Warning", server.log)

    def test_in_threads(self):
        self.check()

    def test_on_the_loop(self):
        self.check(threads="0")

    def test_a_client_that_leaves_ends_what_its_page_waits_for(self):
        with ExampleServer("flask_redis.py", self.environment) as server:
            with server.connect() as client:
                client.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
                eventually(lambda: Weather.asked, ["/nowhere"])
            eventually(lambda: Weather.left, ["/nowhere"])

    def test_it_is_short(self):
        self.assertLessEqual(lines_of_code("flask_redis.py"), 25)
