"""Static files: what is served is whole, a validator and a range mean what RFC 9110 says."""

import gzip
import os
import tempfile
import unittest
from pathlib import Path
from wsgiref.validate import validator

from webob import Request

from pylons.middleware import StaticFiles

CHANGED = "Thu, 01 Jan 2026 00:00:00 GMT"
BEFORE, AFTER = "Wed, 31 Dec 2025 23:59:59 GMT", "Thu, 01 Jan 2026 00:00:01 GMT"
CONTENT = b"0123456789"


def beneath(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"beneath"]


class _StaticTests(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("a.css", CONTENT)

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1767225600, 1767225600))

    def ask(self, app, path="/a.css", method="GET", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request.blank(path, method=method, headers=named)
        response = request.get_response(validator(app))
        response.body  # noqa: B018 (read to its end, the validator wants it)
        return response


class FileTests(_StaticTests):
    def setUp(self):
        super().setUp()
        self.write("part/b ä.js", b"1")
        self.write(".git/config", b"secret")
        self.write("part/.b.js.swp", b"draft")
        self.write("data.bin.gz", b"z")
        self.app = StaticFiles(beneath, str(self.root), max_age=300, headers=[("X-A", "1")])

    def test_a_file_has_its_type_its_version_and_its_headers(self):
        found = self.ask(self.app)
        self.assertEqual((200, CONTENT), (found.status_int, found.body))
        self.assertEqual("text/css; charset=utf-8", found.headers["Content-Type"])
        self.assertEqual("max-age=300, public", found.headers["Cache-Control"])
        self.assertEqual((CHANGED, "1"), (found.headers["Last-Modified"], found.headers["X-A"]))
        self.assertEqual("10", found.headers["Content-Length"])
        head = self.ask(self.app, method="HEAD", Range="bytes=0-1")
        self.assertEqual(
            (200, b"", "10"), (head.status_int, head.body, head.headers["Content-Length"])
        )
        self.assertEqual(b"1", self.ask(self.app, "/part/b%20%C3%A4.js").body)
        self.assertEqual(
            "application/octet-stream", self.ask(self.app, "/data.bin.gz").content_type
        )

    def test_everything_else_is_the_applications(self):
        for path in ("/", "/part", "/part/", "/../a.css", "/part/../a.css", "//a.css", "/a.css/",
                     "/.git/config", "/part/.b.js.swp", "/A.css", "/a.css%00"):  # fmt: skip
            with self.subTest(path):
                self.assertEqual(b"beneath", self.ask(self.app, path).body)

    def test_it_cannot_be_written(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            refused = self.ask(self.app, method=method)
            self.assertEqual((405, "GET, HEAD"), (refused.status_int, refused.headers["Allow"]))

    def test_a_version_that_is_known_is_not_sent_again(self):
        etag = self.ask(self.app).headers["ETag"]
        for status, headers in (
            (304, {"If_None_Match": etag}),
            (304, {"If_None_Match": f"W/{etag}"}),
            (304, {"If_None_Match": f'"x", W/{etag}'}),
            (304, {"If_None_Match": "*"}),
            (304, {"If_None_Match": etag, "If_Modified_Since": BEFORE}),
            (304, {"If_None_Match": etag, "Range": "bytes=0-1"}),
            (200, {"If_None_Match": '"x"'}),
            (200, {"If_None_Match": '"x"', "If_Modified_Since": AFTER}),
            (304, {"If_Modified_Since": CHANGED}),
            (304, {"If_Modified_Since": AFTER}),
            (200, {"If_Modified_Since": BEFORE}),
            (200, {"If_Modified_Since": "yesterday"}),
            (200, {"If_Modified_Since": "Thu, 01 Jan 2026 00:00:00 -0000"}),
        ):
            with self.subTest(headers):
                found = self.ask(self.app, **headers)
                self.assertEqual(status, found.status_int)
                self.assertEqual(etag, found.headers["ETag"])
                self.assertEqual("max-age=300, public", found.headers["Cache-Control"])
                self.assertEqual(CONTENT if status == 200 else b"", found.body)

    def test_a_part_is_sent_where_one_is_asked_for(self):
        for asked, part in {
            "bytes=0-0": b"0",
            "bytes=5-": b"56789",
            "bytes=2-100": b"23456789",
            "bytes=-3": b"789",
            "bytes=-100": CONTENT,
        }.items():
            with self.subTest(asked):
                found = self.ask(self.app, Range=asked)
                self.assertEqual((206, part), (found.status_int, found.body))
                first = CONTENT.index(part)
                expected = f"bytes {first}-{first + len(part) - 1}/10"
                self.assertEqual(expected, found.headers["Content-Range"])
        for asked in ("bytes=10-", "bytes=20-30", "bytes=-0"):
            with self.subTest(asked):
                found = self.ask(self.app, Range=asked)
                self.assertEqual((416, b""), (found.status_int, found.body))
                self.assertEqual("bytes */10", found.headers["Content-Range"])
        for asked in (
            "bytes=5-2",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "items=0-1",
            f"bytes={'9' * 5000}-",
        ):
            with self.subTest(asked[:20]):
                found = self.ask(self.app, Range=asked)
                self.assertEqual((200, CONTENT), (found.status_int, found.body))

    def test_a_part_of_another_version_is_not_sent(self):
        etag = self.ask(self.app).headers["ETag"]
        for status, condition in (
            (206, etag),
            (206, CHANGED),
            (200, '"x"'),
            (200, f"W/{etag}"),
            (200, BEFORE),
            (200, AFTER),
        ):
            with self.subTest(condition):
                found = self.ask(self.app, Range="bytes=0-1", If_Range=condition)
                self.assertEqual(status, found.status_int)


class CompressedTests(_StaticTests):
    """Text, to whom says that gzip is taken."""

    def setUp(self):
        super().setUp()
        self.text = b"a { color: red }\n" * 100
        self.write("long.css", self.text)
        self.write("picture.png", self.text)
        self.app = StaticFiles(beneath, str(self.root), max_age=300)

    def test_it_is_sent_compressed_where_gzip_is_taken(self):
        for taken in ("gzip", "deflate, gzip;q=1.0, *;q=0.5", "br,GZIP ;q=0.5", "gzip, br"):
            with self.subTest(taken):
                found = self.ask(self.app, "/long.css", Accept_Encoding=taken)
                self.assertEqual("gzip", found.headers["Content-Encoding"])
                self.assertEqual(self.text, gzip.decompress(found.body))
                self.assertEqual(str(len(found.body)), found.headers["Content-Length"])
        for taken in ("", "br", "identity", "gzip;q=0", "gzip; q=0.000, br", "gzipped", "x-gzipp"):
            with self.subTest(taken):
                found = self.ask(self.app, "/long.css", Accept_Encoding=taken)
                self.assertNotIn("Content-Encoding", found.headers)
                self.assertEqual(self.text, found.body)

    def test_each_form_has_a_validator_of_its_own_and_caches_tell_them_apart(self):
        plain = self.ask(self.app, "/long.css")
        packed = self.ask(self.app, "/long.css", Accept_Encoding="gzip")
        self.assertNotEqual(plain.headers["ETag"], packed.headers["ETag"])
        for status, form, taken in (
            (304, plain, ""),
            (304, packed, "gzip"),
            (200, plain, "gzip"),
            (200, packed, ""),
        ):
            headers = {"If_None_Match": form.headers["ETag"], "Accept_Encoding": taken}
            found = self.ask(self.app, "/long.css", **headers)
            self.assertEqual(status, found.status_int)
            self.assertEqual("Accept-Encoding", found.headers["Vary"])

    def test_a_part_is_one_of_the_plain_file(self):
        headers = {"Range": "bytes=0-3", "Accept_Encoding": "gzip"}
        found = self.ask(self.app, "/long.css", **headers)
        self.assertEqual((206, b"a { "), (found.status_int, found.body))
        self.assertNotIn("Content-Encoding", found.headers)
        etag = self.ask(self.app, "/long.css", Accept_Encoding="gzip").headers["ETag"]
        found = self.ask(self.app, "/long.css", If_Range=etag, **headers)
        self.assertEqual((200, self.text), (found.status_int, found.body))

    def test_what_is_no_text_or_too_short_is_not_compressed(self):
        for path in ("/picture.png", "/a.css"):
            found = self.ask(self.app, path, Accept_Encoding="gzip")
            self.assertNotIn("Content-Encoding", found.headers)
            self.assertNotIn("Vary", found.headers)


class VersionTests(_StaticTests):
    def app(self, **options):
        return StaticFiles(beneath, str(self.root), version="abc", **options)

    def test_below_its_version_a_file_is_kept_for_ever(self):
        self.write("part/b.js", b"1")
        app = self.app(max_age=300)
        for path, body in (("/static/abc/a.css", CONTENT), ("/static/abc/part/b.js", b"1")):
            found = self.ask(app, path)
            self.assertEqual((200, body), (found.status_int, found.body))
            cached = "max-age=31536000, public, immutable"
            self.assertEqual(cached, found.headers["Cache-Control"])
        self.assertEqual("max-age=300, public", self.ask(app).headers["Cache-Control"])

    def test_below_another_version_is_what_there_is_and_nobody_keeps_it(self):
        for app, version in (
            (self.app(), "abcd"),
            (self.app(), "0"),
            (self.app(fresh=True), "abc"),
        ):
            found = self.ask(app, f"/static/{version}/a.css")
            self.assertEqual((200, CONTENT), (found.status_int, found.body))
            self.assertEqual("no-cache", found.headers["Cache-Control"])

    def test_what_is_not_there_is_the_applications(self):
        for path in ("/static", "/static/", "/static/abc", "/static/abc/", "/static/abc/b.css",
                     "/static/a.css", "/static/abc//a.css"):  # fmt: skip
            with self.subTest(path):
                self.assertEqual(b"beneath", self.ask(self.app(), path).body)


class ChangeTests(_StaticTests):
    def test_what_changes_on_the_disk_is_not_mixed_with_what_is_served(self):
        app = StaticFiles(beneath, str(self.root))
        before = self.ask(app)
        for content in (b"short", b"longer than before", None):
            path = self.root / "a.css"
            path.unlink() if content is None else self.write("a.css", content)
            now = self.ask(app)
            self.assertEqual((before.body, before.headers["ETag"]), (now.body, now.headers["ETag"]))

    def test_fresh_ones_are_read_at_each_request(self):
        app = StaticFiles(beneath, str(self.root), max_age=300, fresh=True)
        etag = self.ask(app).headers["ETag"]
        # Of the same second, and as long.
        self.write("a.css", b"9876543210")
        found = self.ask(app, If_None_Match=etag)
        self.assertEqual((200, b"9876543210"), (found.status_int, found.body))
        self.assertEqual("no-cache", found.headers["Cache-Control"])
        self.write("new.css", b"new")
        self.assertEqual(b"new", self.ask(app, "/new.css").body)
        (self.root / "a.css").unlink()
        self.assertEqual(b"beneath", self.ask(app).body)


class MadeTests(_StaticTests):
    def test_what_is_made_is_served_like_a_file(self):
        made = {"/all.txt": lambda: b"".join(path.read_bytes() for path in self.root.iterdir())}
        for fresh, later in ((False, CONTENT), (True, b"0")):
            self.write("a.css", CONTENT)
            app = StaticFiles(beneath, str(self.root), version="abc", fresh=fresh, made=made)
            found = self.ask(app, "/static/abc/all.txt")
            self.assertEqual((200, CONTENT), (found.status_int, found.body))
            self.assertEqual("text/plain; charset=utf-8", found.headers["Content-Type"])
            self.assertEqual(
                304, self.ask(app, "/all.txt", If_None_Match=found.headers["ETag"]).status_int
            )
            self.write("a.css", b"0")
            self.assertEqual(later, self.ask(app, "/all.txt").body)
