"""What is read of a stranger's form, and of JSON, and no more."""

import io
import resource
import unittest

from webob.exc import HTTPBadRequest, HTTPRequestEntityTooLarge

from pylons import Request
from pylons._forms import MOST_FIELDS, MOST_FILES
from tests.pylons.support import make_environ

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
FIELD = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n%s\r\n' % (
    b"v" * 2000
)


def posted(body, kind, is_body_seekable=True):
    """`is_body_seekable`: else WebOb copies it, as it does what a server gives."""
    extra = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    extra["webob.is_body_seekable"] = is_body_seekable
    return Request(make_environ("/", "POST", **extra))


class FormTests(unittest.TestCase):
    def refused(self, body, kind=MULTIPART):
        with self.assertRaises(HTTPRequestEntityTooLarge) as raised:
            len(posted(body, kind).POST)
        return raised.exception.detail

    def test_a_form_of_many_fields_is_read(self):
        many = MOST_FIELDS
        self.assertEqual(many, len(posted(b"&".join([b"f=v"] * many), FORM).POST))
        self.assertEqual(2000, len(posted(FIELD * 2000 + b"--x--\r\n", MULTIPART).POST))

    def test_one_of_too_many_is_not(self):
        too_many = MOST_FIELDS + 2
        self.assertIn("fields", self.refused(b"&".join([b"f=v"] * too_many), FORM))
        self.assertIn("fields", self.refused(FIELD * too_many + b"--x--\r\n"))

    def test_files_are_limited_for_each_may_hold_a_descriptor(self):
        before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (before, most))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before, 1024), most))
        request = posted(FILE * MOST_FILES + b"--x--\r\n", MULTIPART)
        self.assertEqual(MOST_FILES, len(request.POST))
        for field in request.POST.values():
            field.file.close()
        self.assertIn("files", self.refused(FILE * 2000 + b"--x--\r\n"))

    def test_an_uploaded_file_may_have_any_bytes(self):
        content = b"a=b&c=d\r\n" * 500_000
        whole = FILE.replace(b"v" * 2000, content) + b"--x--\r\n"
        request = posted(whole, MULTIPART, is_body_seekable=False)
        with request.POST["f"].file as file, request.body_file_raw:
            self.assertEqual(content, file.read())

    def test_long_texts_and_small_files_hold_no_descriptors(self):
        before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (before, most))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before, 256), most))
        text = "ä\r\n" * 500
        long = FIELD.replace(b"v\r\n", text.encode() + b"\r\n")
        small = FILE.replace(b"v" * 2000, b"v")
        request = posted((long + small) * 1000 + b"--x--\r\n", MULTIPART)
        values = request.POST.getall("f")
        self.assertEqual([text] * 1000, values[::2])
        self.assertEqual({b"v"}, {value.file.read() for value in values[1::2]})

    def test_a_field_may_be_called_as_files_are(self):
        field = FIELD.replace(b'name="f"', b'name="filename"')
        self.assertEqual(500, len(posted(field * 500 + b"--x--\r\n", MULTIPART).POST))

    def test_a_part_of_parts_is_a_bad_request(self):
        for kind in (b"multipart/mixed; boundary=y", FORM.encode()):
            for more in (b"", b"Content-Transfer-Encoding: base64\r\n", b"charset=ascii"):
                if more.startswith(b"charset"):
                    kind, more = kind + b"; " + more, b""
                head = b"Content-Type: " + kind + b"\r\n" + more + b"\r\n"
                part = FIELD.replace(b"\r\n\r\n", b"\r\n" + head)
                body = part + b"--y\r\n\r\nv\r\n--y--\r\n--x--\r\n"
                with self.subTest(kind=kind, more=more), self.assertRaises(HTTPBadRequest):
                    _ = posted(body, MULTIPART).POST

    def test_the_head_of_a_part_is_limited_in_lines_and_in_their_length(self):
        for head in (b"A: b\r\n" * 10_000, b"A: " + b"b" * 100_000 + b"\r\n"):
            self.assertIn("head", self.refused(b"--x\r\n" + head + b"\r\nv\r\n--x--\r\n"))

    def test_parts_in_parts_without_end_are_a_bad_request(self):
        levels = b"".join(
            b"--%s\r\nContent-Disposition: form-data; name=f\r\n"
            b"Content-Type: multipart/mixed; boundary=x%d\r\n\r\n"
            % (b"x%d" % (level - 1) if level else b"x", level)
            for level in range(3000)
        )
        with self.assertRaises(HTTPBadRequest):
            len(posted(levels, MULTIPART).POST)

    def test_the_body_itself_is_read_as_it_is(self):
        request = posted(b"&" * 50_000, FORM)
        self.assertEqual(50_000, len(request.body_file.read()))


class JsonTests(unittest.TestCase):
    def test_json_is_read(self):
        self.assertEqual([1], posted(b"[1]", "application/json").json_body)

    def test_what_is_none_is_a_bad_request_and_a_value_error(self):
        for body in (b"", b"{", b"\xff", b"[" * 100_000):
            for error in (HTTPBadRequest, ValueError):
                with self.assertRaises(error, msg=body[:9]):
                    _ = posted(body, "application/json").json

    def test_a_body_is_made_of_it(self):
        request = posted(b"", "application/json")
        request.json_body = {"a": 1}
        self.assertEqual(b'{"a":1}', request.body)
