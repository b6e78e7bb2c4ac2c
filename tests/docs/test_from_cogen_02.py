"""The page for those who come from cogen 0.2 has every name that 0.2.1 promised."""

import importlib
import re
import unittest

from tests.docs.pages import DOCS

# The `__all__` of each module of 0.2.1, and what programs took from those that had none.
PROMISED = {
    "common": ["coro", "coroutine", "Scheduler", "events", "sockets", "proactors", "priority"],
    "coroutines": [
        "local", "coro", "coroutine", "Coroutine", "CoroutineInstance", "CoroutineException",
        "debug_coroutine",
    ],
    "events": [
        "OperationTimeout", "WaitForSignal", "Signal", "AddCoro", "Join", "Sleep", "Operation",
        "TimedOperation",
    ],
    "pipe": ["Iterate", "chunk", "sentinel", "IterationStopped"],
    "pubsub": ["PublishSubscribeQueue"],
    "queue": ["Queue"],
    "schedulers": ["Scheduler", "iter_run"],
    "sockets": [
        "getdefaulttimeout", "setdefaulttimeout", "Socket", "SendFile", "Recv", "Send", "SendAll",
        "Accept", "Connect", "RecvAll", "SocketError", "ConnectionClosed", "SocketOperation",
    ],
    "util": ["debug", "priority", "fmt_list"],
    "web.async": [
        "LazyStartResponseMiddleware", "SynchronousInputMiddleware", "lazy_sr", "sync_input",
    ],
    "web.wsgi": ["WSGIServer", "server_factory"],
    "environ": [
        "cogen.core", "cogen.call", "cogen.wsgi", "cogen.input", "cogen.yield", "cogen.sched",
        "cogen.http_connection",
    ],
}  # fmt: skip
PAGE = (DOCS / "from-cogen-0.2.md").read_text()


class PageTests(unittest.TestCase):
    def test_every_name_is_there(self):
        told = set(re.findall(r"[\w.]+", " ".join(re.findall(r"`([^`]*)`", PAGE))))
        told |= {part for name in told if not name.startswith("cogen.") for part in name.split(".")}
        for module, names in PROMISED.items():
            missing = [name for name in names if name not in told]
            self.assertEqual([], missing, module)

    def test_what_is_said_to_be_the_same_is_there(self):
        table = PAGE[PAGE.index("## Names") : PAGE.index("## What is not")]
        found = 0
        for names, now in re.findall(r"^\| (`.*?) \| (.*) \|$", table, re.MULTILINE):
            if not now.startswith("the same"):
                continue
            for module, name in re.findall(
                r"`(coroutines|events|schedulers|sockets|pipe|pubsub|queue)\.(\w+)", names
            ):
                kept = importlib.import_module(f"cogen.core.{module}")
                if name != "queue":  # an attribute of its class
                    self.assertTrue(hasattr(kept, name), f"{module}.{name}")
                    found += 1
        self.assertGreater(found, 6)
