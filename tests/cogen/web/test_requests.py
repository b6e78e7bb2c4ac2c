r"""Raw requests as data: requests/accepted/NAME.http and requests/refused/NAME.http.

A file begins with comment lines, `# `: what it is and the rule it stands on. Lines `#> ` are the
answers in order: the status, for an accepted request followed by the method, the target and
environ values NAME='value'. The rest is the request, with Python's escapes; line ends do not count.
"""

import ast
import re
import shlex
import unittest
from pathlib import Path

from benchmarks.harness.server import ServerThread
from tests.cogen.web.support import Records, echo

FOLDER = Path(__file__).parent / "requests"


class Case:
    """A request file: the bytes to send and the answers to expect."""

    def __init__(self, path):
        lines = path.read_text("ascii").splitlines()
        self.answers = [_repeated(line[3:]) for line in lines if line.startswith("#> ")]
        raw = "".join(line for line in lines if not line.startswith("#"))
        self.raw = ast.literal_eval(f"b'''{_repeated(raw)}'''")
        assert self.answers, f"{path} tells no answer"


def _repeated(text):
    """`{TEXT*COUNT}` stands for TEXT, COUNT times."""
    return re.sub(r"\{([^{}*]+)\*(\d+)\}", lambda match: match[1] * int(match[2]), text)


class Requests:
    """What the files are put to; `proactor` names the event loop, `threads` is the option."""

    threads = "0"

    @classmethod
    def setUpClass(cls):
        cls.records = Records()
        cls.records.__enter__()
        cls.server = ServerThread(echo, cls.proactor, threads=cls.threads, allowed_hosts="*")
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.records.__exit__()

    def check(self, path):
        case = Case(path)
        with self.server.connect() as client:
            client.send(case.raw)
            client.shutdown()
            for answer in case.answers:
                self.check_answer(client, answer)
            self.assertEqual(client.rest(), b"", "more than the expected answers")
        # Whatever it was, the server goes on.
        self.assertEqual(self.server.get("/after").status, 200)

    def check_answer(self, client, answer):
        status, *rest = shlex.split(answer)
        method = rest[0] if rest else ""
        response = client.response(method)
        self.assertEqual(response.status, int(status), response.body)
        if not rest:
            self.assertEqual(response.headers["connection"], "close")
            return
        if method == "HEAD":
            return
        seen = response.json
        self.assertEqual((seen["REQUEST_METHOD"], seen["REQUEST_URI"]), tuple(rest[:2]))
        for pair in rest[2:]:
            name, _, value = pair.partition("=")
            expected = ast.literal_eval(f"b'{value}'").decode("latin-1")
            self.assertEqual(seen.get(name, ""), expected, name)


def _with_files(case):
    """Give `case` a test method for each file."""
    for path in sorted(FOLDER.glob("*/*.http")):
        name = f"test_{path.parent.name}_{path.stem.replace('-', '_')}"

        def method(self, path=path):
            self.check(path)

        method.__name__ = name
        setattr(case, name, method)
    return case


@_with_files
class UvloopRequestsTest(Requests, unittest.TestCase):
    proactor = "uvloop"


@_with_files
class AsyncioRequestsTest(Requests, unittest.TestCase):
    proactor = "asyncio"


@_with_files
class ThreadsRequestsTest(Requests, unittest.TestCase):
    proactor = "uvloop"
    threads = "auto"
