"""Methods that JSON-RPC calls."""

from pylons.controllers import JSONRPCController, JSONRPCError
from pylons.controllers.util import abort


class SumsController(JSONRPCController):
    max_body_length = 1000

    def add(self, a, b):
        return a + b

    def joined(self, a, b="end", **others):
        return [a, b, others]

    def refused(self):
        raise JSONRPCError(5, "five", {"why": "so"})

    def broken(self):
        raise ZeroDivisionError("of the test")

    def unsayable(self):
        return object()

    def aborted(self):
        abort(403, "not you")

    def waits(self, n):
        yield b""
        if n < 0:
            raise JSONRPCError(6, "below zero")
        return n * 2

    def _private(self):
        return 1
