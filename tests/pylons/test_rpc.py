"""XML-RPC and JSON-RPC, by the standard library's client and by hand."""

import json
import unittest
import xmlrpc.client
from io import BytesIO
from unittest import mock

from pylons.controllers import jsonrpc
from pylons.controllers.xmlrpc import xmlrpc_sig
from tests.pylons.example.controllers import calls
from tests.pylons.example.controllers.sums import SumsController
from tests.pylons.support import Exchange, get, make_app


def posted(body, **extra):
    return {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), **extra}


class Transport(xmlrpc.client.Transport):
    """Calls the application in place of a server."""

    def __init__(self, app):
        super().__init__()
        self.app = app

    def request(self, host, handler, request_body, verbose=False):
        got = get(self.app, handler, "POST", **posted(request_body))
        assert got.header("Content-Type") == ["text/xml"], got.headers
        parser, unmarshaller = self.getparser()
        parser.feed(got.content)
        parser.close()
        return unmarshaller.close()


class XmlRpcTests(unittest.TestCase):
    def setUp(self):
        self.app = make_app()
        self.server = xmlrpc.client.ServerProxy(
            "http://x/calls/index", Transport(self.app), allow_none=True
        )
        calls.log.clear()

    def refused(self, code, text, name, *arguments):
        with self.assertRaises(xmlrpc.client.Fault) as raised:
            getattr(self.server, name)(*arguments)
        self.assertEqual(code, raised.exception.faultCode)
        self.assertIn(text, raised.exception.faultString)

    def test_a_method_is_called_between_before_and_after(self):
        self.assertEqual("hello bäb", self.server.hello("bäb"))
        self.assertEqual(["before hello", "after"], calls.log)

    def test_a_dot_is_an_underscore_and_arguments_may_be_left_out(self):
        told = {"a": 1, "b": 2, "method": "POST"}
        self.assertEqual(told, self.server.user.info(1))
        self.assertEqual({**told, "b": 3}, self.server.user_info(1, 3, "left out, as in 1.0"))

    def test_a_method_may_name_what_the_request_has(self):
        self.assertEqual(["named", "/calls/index"], self.server.named())

    def test_values_of_every_type_come_back(self):
        values = ["ä", [1], True, 1, 1.5, {"a": 1}, xmlrpc.client.Binary(b"\0")]
        values.append(xmlrpc.client.DateTime("20260101T00:00:00"))
        for value in values:
            self.assertEqual(value, self.server.echo(value))
        names = ["string", "array", "boolean", "boolean", "double", "struct", "base64"]
        names[3] = "int"
        self.assertEqual([*names, "dateTime.iso8601"], xmlrpc_sig(values))

    def test_another_signature_is_refused(self):
        told = "Incorrect argument signature. [] received does not match [['string', 'string'], "
        self.refused(0, told, "hello")
        self.refused(0, "['boolean'] received", "hello", True)
        self.assertEqual("hello 3", self.server.hello(3))

    def test_what_is_private_or_not_there_is_refused(self):
        for name in ("_private", "nope", "attribute", "allow_none", "start_response"):
            self.refused(0, f"No such method name '{name}'", name)

    def test_missing_arguments_are_named(self):
        self.refused(-32602, "user_info needs a", "user_info")

    def test_a_fault_is_returned_or_raised(self):
        self.refused(7, "no", "fault")
        self.refused(8, "nö", "raised")

    def test_another_exception_is_the_applications(self):
        with self.assertRaisesRegex(ZeroDivisionError, "of the test"):
            self.server.broken()

    def test_none_is_refused_unless_it_is_allowed(self):
        with self.assertRaisesRegex(TypeError, "cannot marshal None"):
            self.server.nothing()
        calls.CallsController.allow_none = True
        self.addCleanup(delattr, calls.CallsController, "allow_none")
        self.assertIsNone(self.server.nothing())

    def test_the_methods_tell_of_themselves(self):
        names = self.server.system.listMethods()
        self.assertIn("system.methodHelp", names)
        self.assertIn("user.info", names)
        not_methods = ("private", "attribute", "start")
        self.assertFalse([name for name in names if any(each in name for each in not_methods)])
        self.assertEqual(
            [["string", "string"], ["string", "int"]], self.server.system.methodSignature("hello")
        )
        self.assertEqual("", self.server.system.methodSignature("user.info"))
        told = (
            "Says hello.\n\nTwice.\n\nMethod signature: [['string', 'string'], ['string', 'int']]"
        )
        self.assertEqual(told, self.server.system.methodHelp("hello"))
        self.assertEqual("Helps.", self.server.system.methodHelp("helped"))
        for name in ("system.methodHelp", "system.methodSignature"):
            self.refused(0, "No such method name", name, "nope")

    def test_a_method_waits_by_empty_chunks(self):
        body = xmlrpc.client.dumps(("rain",), "waits").encode()
        got = Exchange(self.app, "/calls/index", "POST", **posted(body))
        self.assertEqual(b"", got.step())
        self.assertEqual(["before waits"], calls.log)
        got.run()
        self.assertEqual((("waited for rain",), None), xmlrpc.client.loads(got.content))
        self.assertEqual(["before waits", "after"], calls.log)
        self.refused(9, "stopped", "waits", "stop")

    def test_what_is_no_call_is_refused(self):
        for body in (
            b"not xml",
            b"<a/>",
            b"\xff",
            b"<methodCall><params></struct></params></methodCall>",
        ):
            got = get(self.app, "/calls/index", "POST", **posted(body))
            with self.assertRaisesRegex(xmlrpc.client.Fault, "-32700: 'this is no XML-RPC call"):
                xmlrpc.client.loads(got.content)

    def test_a_body_has_a_length_within_bounds(self):
        got = get(self.app, "/calls/index", "POST")
        self.assertEqual("411 Length Required", got.status)
        got = get(self.app, "/calls/index", "POST", CONTENT_LENGTH="4194305")
        self.assertTrue(got.status.startswith("413 "), got.status)


class JsonRpcTests(unittest.TestCase):
    def setUp(self):
        self.app = make_app()

    def post(self, body):
        return get(self.app, "/sums/index", "POST", **posted(body))

    def call(self, method, params=(), **fields):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **fields}
        got = self.post(json.dumps(call).encode())
        self.assertEqual(["application/json"], got.header("Content-Type"))
        told = json.loads(got.content)
        self.assertEqual(
            {"jsonrpc": "2.0", "id": 1}, {key: told.pop(key) for key in ("jsonrpc", "id")}
        )
        return told

    def test_a_method_is_called_by_place_or_by_name(self):
        self.assertEqual({"result": 3}, self.call("add", [1, 2]))
        self.assertEqual({"result": "äb"}, self.call("add", {"b": "b", "a": "ä"}))
        self.assertEqual({"result": [1, "end", {}]}, self.call("joined", [1]))
        told = {"result": [1, 2, {"c": 3}]}
        self.assertEqual(told, self.call("joined", {"a": 1, "b": 2, "c": 3}))

    def test_missing_arguments(self):
        error = {"error": {"code": -32602, "message": "Invalid params"}}
        for params in ([1], {"a": 1}, []):
            self.assertEqual(error, self.call("add", params))

    def test_what_is_private_or_not_there(self):
        for name in ("_private", "nope", "max_body_length", "start_response"):
            self.assertEqual(-32601, self.call(name)["error"]["code"])

    def test_errors_of_methods(self):
        told = {"code": 5, "message": "five", "data": {"why": "so"}}
        self.assertEqual({"error": told}, self.call("refused"))
        for name in ("broken", "unsayable"):
            with self.assertLogs("pylons.controllers.jsonrpc", "ERROR") as logged:
                self.assertEqual(
                    {"error": {"code": -32603, "message": "Internal error"}}, self.call(name)
                )
            self.assertIn(f"SumsController.{name} failed", logged.output[0])

    def test_an_abort_is_an_answer_of_http(self):
        got = self.post(b'{"id": 1, "method": "aborted", "params": []}')
        self.assertEqual("403 Forbidden", got.status)

    def test_what_is_no_call(self):
        for body, code in (
            (b"{bad", -32700),
            (b"\xff", -32700),
            (b"[]", -32600),
            (b'{"id": 1}', -32600),
            (b'{"id": 1, "method": 3}', -32600),
            (b'{"id": 1, "method": "add", "params": 3}', -32600),
        ):
            self.assertEqual(code, json.loads(self.post(body).content)["error"]["code"], body)

    def test_lists_in_lists_without_end_are_no_call(self):
        with mock.patch.object(SumsController, "max_body_length", 200_000):
            told = json.loads(self.post(b"[" * 200_000).content)
        self.assertEqual(-32700, told["error"]["code"])

    def test_a_plus_stays_one(self):
        self.assertEqual({"result": "1+1%20"}, self.call("add", ["1+1", "%20"]))

    def test_a_quoted_call_is_taken_as_in_1_0(self):
        got = self.post(b"%7B%22id%22:1,+%22method%22:%22add%22,%22params%22:[1,2]%7D")
        self.assertEqual(3, json.loads(got.content)["result"])

    def test_a_call_without_an_id_is_not_answered(self):
        for method in ("add", "refused"):
            got = self.post(json.dumps({"method": method, "params": [1, 2]}).encode())
            self.assertEqual(("204 No Content", b""), (got.status, got.content))

    def test_a_method_waits_by_empty_chunks(self):
        body = b'{"id": 1, "method": "waits", "params": [21]}'
        got = Exchange(self.app, "/sums/index", "POST", **posted(body))
        self.assertEqual(b"", got.step())
        self.assertEqual(42, json.loads(got.run().content)["result"])
        self.assertEqual({"error": {"code": 6, "message": "below zero"}}, self.call("waits", [-1]))

    def test_a_body_has_a_length_within_bounds(self):
        self.assertEqual("411 Length Required", self.post(b"").status)
        self.assertTrue(self.post(b"x" * 1001).status.startswith("413 "))

    def test_the_errors_of_the_specification(self):
        response = jsonrpc.jsonrpc_error(7, "parse_error")
        self.assertEqual({"code": -32700, "message": "Parse error"}, response.json["error"])
        self.assertEqual("-32600: Invalid Request", str(jsonrpc.JSONRPC_INVALID_REQUEST))
