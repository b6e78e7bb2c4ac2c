"""JSON of strangers' words, also where there is no memory for it."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chatapp.jsons import decode, encode

ROOT = Path(__file__).parents[2]
LARGE = 1_500_000
_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
_VALUES = st.recursive(
    _SCALARS, lambda each: st.lists(each) | st.dictionaries(st.text(), each), max_leaves=20
)
# Calls `work` with less and less room, and says what becomes of it.
_STARVED = """
import json, pathlib, resource
from chatapp.jsons import decode, encode
text = "x" * {large}
document = json.dumps({{"text": text}}).encode()
work = {work}
work()
status = pathlib.Path("/proc/self/status").read_text().split()
size = int(status[status.index("VmSize:") + 1]) * 1024
before = resource.getrlimit(resource.RLIMIT_AS)
seen = set()
for room in range(16 << 20, -1, -(256 << 10)):
    resource.setrlimit(resource.RLIMIT_AS, (size + room, before[1]))
    try:
        work()
        outcome = "done"
    except MemoryError:
        outcome = "MemoryError"
    resource.setrlimit(resource.RLIMIT_AS, before)
    seen.add(outcome)
print(*sorted(seen))
"""


class ValueTests(unittest.TestCase):
    def test_small_and_large_are_the_same(self):
        for characters in (10, 100_000):
            value = {"text": "é\n\0" * characters, "room": [1, 2.5, None, True]}
            told = encode(value, characters)
            self.assertEqual(value, json.loads(told))
            self.assertEqual(value, decode(told))
            self.assertEqual(value, decode(told.decode()))

    @given(_VALUES)
    def test_any_value_is_told_alike(self, value):
        self.assertEqual(encode(value, 0), encode(value, LARGE))
        padded = encode(value, 0) + b" " * 2000
        self.assertEqual(value, decode(padded))

    def test_what_is_no_json_is_refused_in_any_length(self):
        refused = (
            b"", b"nope", b"NaN", b"-Infinity", b"1e999", b"[1,]", b"1 2", b'"\n"', b'"\xff"',
            b'"\xed\xa0\x80"', b'"\\ud800"', b"\xef\xbb\xbf1", b"[" * 9_999, b'{"a":' * 9_999,
        )  # fmt: skip
        for text in refused:
            for padding in (b"", b" " * 2000):
                with self.subTest(text[:20], padding=len(padding)), self.assertRaises(ValueError):
                    decode(text + padding)

    def test_a_surrogate_pair_is_a_character_in_any_length(self):
        for padding in (b"", b" " * 2000):
            self.assertEqual("\U0001f600", decode(b'"\\ud83d\\ude00"' + padding))


class MemoryTests(unittest.TestCase):
    def test_none_left_is_a_memory_error_and_no_crash(self):
        for work in ("lambda: decode(document)", "lambda: encode(text, len(text))"):
            with self.subTest(work):
                script = _STARVED.format(large=LARGE, work=work)
                done = subprocess.run(
                    [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
                )
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                self.assertEqual("MemoryError done", done.stdout.strip())
