"""`tail -F` in every browser."""

import contextlib
import tempfile
from pathlib import Path

from tests.examples.support import ExampleCase, lines_of_code


class TailTests(ExampleCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.path = Path(folder) / "log"
        self.path.write_text("before\n")

    def look(self, target="/lines"):
        """A browser: what it reads, behind the head."""
        client = self.connect()
        client.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        answer = client.makefile("rb")
        self.addCleanup(answer.close)
        self.assertIn(b"200 OK", answer.readline())
        while answer.readline().strip():
            pass
        return answer

    def next_of(self, answer):
        data = answer.readline()
        self.assertEqual(b"\n", answer.readline())
        return data

    def append(self, text):
        with open(self.path, "a") as file:
            file.write(text)

    def test_all_who_look_see_what_was_and_what_comes(self):
        program = self.start("tail.py", str(self.path))
        first = self.look()
        self.assertEqual(b"data: before\n", self.next_of(first))
        self.append("one\n")
        self.assertEqual(b"data: one\n", self.next_of(first))
        late = self.look()
        self.assertEqual(b"data: before\n", self.next_of(late))
        self.assertEqual(b"data: one\n", self.next_of(late))
        self.append("two\n")
        for answer in (first, late):
            self.assertEqual(b"data: two\n", self.next_of(answer))
        seconds, output = self.stop(program)
        self.assertLess(seconds, 2, output)
        for answer in (first, late):
            self.assertEqual(b"", answer.read())
        self.assertIn("left open: []", output)

    def test_the_page_shows_them(self):
        self.start("tail.py", str(self.path))
        with contextlib.closing(self.look("/")) as page:
            self.assertIn(b'new EventSource("lines")', page.read())

    def test_it_is_short(self):
        self.assertLessEqual(lines_of_code("tail.py"), 45)
