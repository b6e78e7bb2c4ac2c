"""Methods that XML-RPC calls."""

import xmlrpc.client

from pylons import request
from pylons.controllers import XMLRPCController

log = []


class CallsController(XMLRPCController):
    def __before__(self, action):
        log.append(f"before {action}")

    def __after__(self):
        log.append("after")

    def hello(self, name):
        """Says hello.

        Twice.
        """
        return f"hello {name}"

    hello.signature = [["string", "string"], ["string", "int"]]

    def user_info(self, a, b=2):
        return {"a": a, "b": b, "method": request.method}

    def named(self, action, environ):
        return [action, environ["PATH_INFO"]]

    def echo(self, value):
        return value

    def nothing(self):
        return None

    def fault(self):
        return xmlrpc.client.Fault(7, "no")

    def raised(self):
        raise xmlrpc.client.Fault(8, "nö")

    def broken(self):
        raise ZeroDivisionError("of the test")

    def helped(self):
        return 1

    helped.help = "Helps."

    def waits(self, name):
        yield b""
        if name == "stop":
            raise xmlrpc.client.Fault(9, "stopped")
        return f"waited for {name}"

    def _private(self):
        return 1

    attribute = "not a method"
