"""What goes out to many is encoded once, and right."""

import json
import unittest

from hypothesis import given
from hypothesis import strategies as st

from chatapp.live.batch import Batch, as_json, as_text, nothing
from chatapp.live.cursor import Cursor
from chatapp.model import Message

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5)


def messages(texts, room="lobby"):
    return [Message(room, n, "ann", text, 1.5) for n, text in enumerate(texts, 7)]


class BatchTests(unittest.TestCase):
    @given(TEXTS)
    def test_the_answer_is_json_with_the_cursor_after_the_last(self, texts):
        batch = Batch("epoch", "lobby", messages(texts), 10.0)
        answer = json.loads(batch.answer)
        self.assertEqual(texts, [message["text"] for message in answer["messages"]])
        self.assertEqual({"messages", "cursor", "advice"}, set(answer))
        self.assertEqual({"timeout": 10.0}, answer["advice"])
        self.assertEqual(("epoch", {"lobby": batch.last}, {}), Cursor.decode(answer["cursor"]))
        self.assertEqual((7, 6 + len(texts)), (batch.first, batch.last))

    def test_a_message_has_these_fields(self):
        [message] = messages(["hi"])
        self.assertEqual(
            {"room": "lobby", "seq": 7, "kind": "said", "nick": "ann", "text": "hi", "at": 1.5},
            json.loads(as_json([message])),
        )

    @given(TEXTS)
    def test_no_control_character_reaches_a_terminal(self, texts):
        for line in as_text(messages([*texts, "\x1b[2J\x9b\x07\tx"])).decode().split("\r\n"):
            self.assertNotRegex(line, "[\x00-\x08\x0a-\x1f\x7f-\x9f]")
        self.assertEqual("ann: a\tb \ufffd[m\r\n".encode(), as_text(messages(["a\tb\n\x1b[m"])))

    def test_a_name_from_before_cannot_end_early(self):
        message = Message("lobby", 7, "x: bye", "hi", 1.5)
        self.assertEqual(b"x:bye: hi\r\n", as_text([message]))

    def test_lines_are_of_what_was_said_and_not_of_other_kinds(self):
        edited = Message("lobby", 8, "ann", "ho", 1.5, kind="edited")
        self.assertEqual(b"ann: hi\r\n", as_text([*messages(["hi"]), edited]))
        self.assertIn(b'"edited"', as_json([edited]))

    def test_all_who_wait_in_vain_get_the_same(self):
        for version in (0, 3):
            answer = nothing("epoch", "lobby", 12, version, 10.0)
            self.assertIs(answer, nothing("epoch", "lobby", 12, version, 10.0))
            told = json.loads(answer)
            self.assertEqual({"messages", "cursor", "advice"}, set(told))
            self.assertEqual(([], {"timeout": 10.0}), (told["messages"], told["advice"]))
            versions = {"lobby": version} if version else {}
            self.assertEqual(("epoch", {"lobby": 12}, versions), Cursor.decode(told["cursor"]))

    def test_it_is_encoded_once(self):
        batch = Batch("epoch", "lobby", messages(["hi"]), 10.0)
        self.assertIs(batch.answer, batch.answer)
        self.assertIs(batch.json, batch.json)
        self.assertIs(batch.text, batch.text)

    @given(TEXTS)
    def test_as_text_each_message_is_one_line(self, texts):
        lines = as_text(messages(texts)).decode()
        self.assertEqual(len(texts), lines.count("\r\n"))
        self.assertEqual(len(texts), len(lines.splitlines()))
        for line in lines.splitlines():
            self.assertTrue(line.startswith("ann: "))
