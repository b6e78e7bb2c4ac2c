"""Reports of failures, with a real SMTP server at 127.0.0.1."""

import email
import email.policy
import tempfile
import threading
import unittest
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from benchmarks.harness.chat import free_port
from pylons._config import PylonsConfig
from pylons._reports import MOST_MAILS, PERIOD, Reports, report_text
from pylons.middleware import ErrorHandler
from tests.pylons.support import get, make_app, make_environ


class Mailbox:
    """What the SMTP server has taken."""

    def __init__(self):
        self.envelopes = []
        self.came = threading.Condition()

    async def handle_DATA(self, server, session, envelope):
        with self.came:
            self.envelopes.append(envelope)
            self.came.notify_all()
        return "250 OK"

    def mails(self, count):
        with self.came:
            self.came.wait_for(lambda: len(self.envelopes) >= count, timeout=30)
            taken = [envelope.content for envelope in self.envelopes]
        return [email.message_from_bytes(each, policy=email.policy.default) for each in taken]


def failing(environ, start_response):
    raise ZeroDivisionError("né")


class MailTests(unittest.TestCase):
    def setUp(self):
        self.mailbox = Mailbox()
        self.server = Controller(self.mailbox, hostname="127.0.0.1", port=free_port())
        self.server.start()
        self.addCleanup(self.server.stop)

    def handler(self, **options):
        config = PylonsConfig()
        smtp = f"127.0.0.1:{self.server.port}"
        config.init_app({"smtp_server": smtp}, options, package="site", paths={})
        handler = ErrorHandler(failing, {}, **config["pylons.errorware"])
        self.addCleanup(handler.reports.close)
        return handler

    def test_the_options_of_the_ini_say_where_a_failure_is_mailed_and_what_is_answered(self):
        handler = self.handler(
            email_to="ann@example.com, bob@example.com",
            error_email_from="site@example.com",
            error_subject_prefix="Site: ",
            error_message="<p>We are told.",
        )
        with self.assertLogs("pylons.middleware", "ERROR"):
            got = get(handler, "/page", QUERY_STRING="a=1&password=x", HTTP_COOKIE="id=y")
        self.assertIn(b"<p>We are told.", got.content)
        [mail] = self.mailbox.mails(1)
        self.assertEqual("Site: ZeroDivisionError: né", mail["Subject"])
        self.assertEqual("site@example.com", mail["From"])
        [envelope] = self.mailbox.envelopes
        self.assertEqual(["ann@example.com", "bob@example.com"], envelope.rcpt_tos)
        text = mail.get_content()
        for expected in (
            "GET http://127.0.0.1/page?a=1&password=[hidden]",
            'raise ZeroDivisionError("né")',
            "QUERY_STRING = a=1&password=[hidden]",
            "HTTP_COOKIE = [hidden]",
        ):
            self.assertIn(expected, text)

    def test_a_burst_is_limited_and_the_next_mail_tells_how_many_were_left_out(self):
        now = [0.0]
        smtp = f"127.0.0.1:{self.server.port}"
        reports = Reports(["ann@example.com"], smtp_server=smtp, clock=lambda: now[0])
        for n in range(MOST_MAILS + 5):
            reports(make_environ("/"), ValueError(str(n)))
        now[0] = PERIOD
        reports(make_environ("/"), ValueError("later"))
        reports.close()
        mails = self.mailbox.mails(MOST_MAILS + 1)
        self.assertEqual(MOST_MAILS + 1, len(mails))
        self.assertTrue(
            mails[-1].get_content().startswith("5 failures before this one were not mailed.")
        )

    def test_with_debug_or_without_addresses_no_mail_is_sent(self):
        for options in ({"debug": "true", "email_to": "ann@example.com"}, {}):
            handler = self.handler(**options)
            with self.assertLogs("pylons.middleware", "ERROR"):
                get(handler, "/")
            handler.reports.close()
        self.assertEqual([], self.mailbox.envelopes)


class NoServerTests(unittest.TestCase):
    def test_a_server_that_is_written_wrongly_is_named(self):
        for server in (":25", "host:smtp", "host:²"):
            with self.assertRaisesRegex(ValueError, f"^smtp_server = {server}: write HOST"):
                Reports(["a@b"], None, server)

    def test_a_server_that_is_not_there_is_named_in_the_log(self):
        conf = {"smtp_server": f"127.0.0.1:{free_port()}"}
        handler = ErrorHandler(failing, conf, error_email="ann@example.com")
        with self.assertLogs("pylons.middleware", "ERROR") as logs:
            get(handler, "/")
            handler.reports.close()
        self.assertEqual("GET http://127.0.0.1/ failed", logs.records[0].getMessage())
        self.assertEqual(
            "the report of a failure was not mailed to ann@example.com by 127.0.0.1",
            logs.records[1].getMessage(),
        )


class SignedInTests(unittest.TestCase):
    def test_the_server_is_told_user_and_password(self):
        mailbox, told = Mailbox(), []

        def authenticate(server, session, envelope, mechanism, data):
            told.append((data.login, data.password))
            return AuthResult(success=True)

        server = Controller(
            mailbox,
            hostname="127.0.0.1",
            port=free_port(),
            authenticator=authenticate,
            auth_require_tls=False,
        )
        server.start()
        self.addCleanup(server.stop)
        conf = {
            "smtp_server": f"127.0.0.1:{server.port}",
            "smtp_username": "ann",
            "smtp_password": "x",
        }
        handler = ErrorHandler(failing, conf, error_email="ann@example.com")
        with self.assertLogs("pylons.middleware"), self.assertLogs("mail.log"):
            get(handler, "/")
            self.assertEqual(1, len(mailbox.mails(1)))
        handler.reports.close()
        self.assertEqual([(b"ann", b"x")], told)


class FileTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_every_failure_is_in_the_file(self):
        path = self.folder / "errors.log"
        handler = ErrorHandler(failing, {}, error_log=str(path))
        self.addCleanup(handler.reports.close)
        with self.assertLogs("pylons.middleware", "ERROR"):
            for n in range(MOST_MAILS + 5):
                get(handler, f"/{n}")
        text = path.read_text("utf-8")
        for n in range(MOST_MAILS + 5):
            self.assertIn(f"GET http://127.0.0.1/{n}\n", text)

    def test_a_file_that_cannot_be_written_is_named_in_the_log(self):
        path = self.folder / "nowhere" / "errors.log"
        handler = ErrorHandler(failing, {}, error_log=str(path))
        with self.assertLogs("pylons.middleware", "ERROR") as logs:
            self.assertEqual("500 Internal Server Error", get(handler, "/").status)
        self.assertEqual(
            f"the report of a failure was not written to {path}", logs.records[1].getMessage()
        )


class TextTests(unittest.TestCase):
    def test_what_may_be_a_secret_is_hidden(self):
        environ = make_environ(
            "/",
            HTTP_AUTHORIZATION="Basic abc",
            HTTP_X_CSRF_TOKEN="abc",
            HTTP_REFERER="http://a/?api_key=abc&page=2",
            QUERY_STRING="access_token=abc;new_password=abc",
            REMOTE_USER="ann",
        )
        text = report_text(environ, ValueError("no /x?password=abc"))
        self.assertNotIn("abc", text)
        self.assertIn("page=2", text)
        self.assertIn("REMOTE_USER = ann", text)


class TestingTests(unittest.TestCase):
    def test_a_test_gets_the_exception_itself(self):
        handler = ErrorHandler(make_app())
        with self.assertRaises(ZeroDivisionError):
            get(handler, "/hello/fails", **{"paste.throw_errors": True})
