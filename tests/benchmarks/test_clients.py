"""What a client makes of the bytes of an answer, and how it notices what is lost."""

import unittest

from benchmarks.answers import Answers, cookies
from benchmarks.client import Crowd
from benchmarks.generator import split
from benchmarks.wire import ChatWire, NchanWire

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=1; HttpOnly\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


class AnswerTests(unittest.TestCase):
    def test_an_answer_is_whole_wherever_it_was_cut(self):
        for answer in (ANSWER, CHUNKED):
            for cut in range(1, len(answer)):
                answers = Answers()
                self.assertIsNone(answers.feed(answer[:cut]))
                status, _, body = answers.feed(answer[cut:])
                self.assertEqual((200, b"hello"), (status, body))

    def test_more_than_was_asked_for_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "more than one"):
            Answers().feed(ANSWER + b"H")

    def test_an_answer_of_unknown_length_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "neither"):
            Answers().feed(b"HTTP/1.1 200 OK\r\n\r\n")

    def test_cookies_are_sent_back_without_their_attributes(self):
        head = ANSWER.partition(b"\r\n\r\n")[0] + b"\r\nset-cookie: b=2; Path=/"
        self.assertEqual(b"Cookie: a=1; b=2\r\n", cookies(head))
        self.assertEqual(b"", cookies(b"HTTP/1.1 200 OK"))


class WireTests(unittest.TestCase):
    def test_messages_and_cursor_of_the_chat(self):
        body = (
            b'{"messages":[{"seq":4,"text":"sent 17 x"},{"seq":5,"text":"sent 18 x"}],"cursor":"c"}'
        )
        news = ChatWire().read(200, b"", body)
        self.assertEqual(([4, 5], [17, 18], b"c"), (news.seqs, news.sent, news.cursor))
        with self.assertRaisesRegex(ValueError, "503"):
            ChatWire().read(503, b"", b"the log is down")

    def test_the_cursor_of_nchan_is_two_headers(self):
        head = b"HTTP/1.1 200 OK\r\nLast-Modified: then\r\nEtag: 3"
        news = NchanWire().read(200, head, b'{"messages":[{"seq":1,"text":"sent 9 x"}]}')
        self.assertEqual(([1], [9]), (news.seqs, news.sent))
        self.assertEqual(b"If-Modified-Since: then\r\nIf-None-Match: 3\r\n", news.cursor)
        self.assertEqual([], NchanWire().read(408, b"", b"").seqs)


class Reader:
    seq = None


class CrowdTests(unittest.TestCase):
    def setUp(self):
        self.delivered = []
        self.crowd = Crowd(
            ChatWire(), 2, lambda: None, lambda seq, at: self.delivered.append((seq, at))
        )
        self.ann, self.bob = Reader(), Reader()

    def took(self, client, *seqs, now=1):
        self.crowd.took(client, list(seqs), [0] * len(seqs), now)

    def test_a_message_is_delivered_when_everybody_had_it(self):
        self.took(self.ann, 1)
        self.assertEqual([], self.delivered)
        self.took(self.bob, 1, 2, now=5)
        self.took(self.ann, 2, now=7)
        self.assertEqual([(1, 5), (2, 7)], self.delivered)
        self.assertEqual(4, self.crowd.deliveries)

    def test_what_comes_twice_does_not_count_as_delivered(self):
        self.took(self.ann, 1)
        self.took(self.ann, 1)
        self.assertEqual(([], 1, 1), (self.delivered, self.crowd.deliveries, self.crowd.repeated))

    def test_what_comes_after_a_later_one_is_as_good_as_lost(self):
        self.took(self.ann, 1)
        self.took(self.ann, 3)
        self.took(self.ann, 2)
        self.assertEqual((2, 1), (self.crowd.deliveries, self.crowd.repeated))


class SplitTests(unittest.TestCase):
    def test_parts_are_no_larger_than_may_be_and_as_equal_as_can_be(self):
        self.assertEqual([100], split(100, 12_500))
        self.assertEqual([12_500] * 4, split(50_000, 12_500))
        self.assertEqual([4, 3, 3], split(10, 4))
