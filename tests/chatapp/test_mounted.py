"""The whole chat inside of the middleware that docs/middleware.md says it may have around it."""

import warnings

from tests.chatapp.support import ChatCase, texts
from tests.frameworks.middleware import MIDDLEWARE

# They swallow the empty chunks of waits; or route by a map of their own, which is empty here.
REFUSED = (
    "Routes `RoutesMiddleware`",
    "Werkzeug `ProfilerMiddleware`",
    "WebOb `Request.get_response` (`wsgify.middleware`)",
)


def _with_middleware(case):
    """Give `case` a test method for each."""
    for name, middleware in MIDDLEWARE.items():
        if name not in REFUSED:

            def method(self, middleware=middleware):
                self.start_in(middleware)
                self.check_talk()

            words = "".join(each if each.isalnum() else " " for each in name).split()
            method.__name__ = f"test_in_{'_'.join(words).lower()}"
            setattr(case, method.__name__, method)
    return case


@_with_middleware
class MountedTests(ChatCase):
    def start_in(self, middleware):
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # of the middleware
        self.wrapped = middleware
        self.start(push_rate=1, push_burst=2)

    def check_talk(self):
        ann, bob = self.joined("ann"), self.person()
        self.assertEqual(409, bob.post("/chat/nick", {"nick": "ann"}).status)
        self.settle()
        ann.pull()
        held = ann.poll()
        pushed = bob.say("hello")
        self.assertEqual(b'{"room":"lobby","seq":1}', pushed.body)
        self.assertEqual("application/json", pushed.header("content-type"))
        self.assertEqual(["hello"], texts(ann.take(held)))
        bob.say("one more")
        refused = bob.say("too fast")
        self.assertEqual((429, "1"), (refused.status, refused.header("retry-after")))
        self.assertIn(b"one more", bob.ask("GET", "/chat/history/lobby").body)
        self.assertEqual(400, bob.ask("GET", "/chat/pull?since=bad").status)
        self.assertEqual(200, bob.ask("GET", "/").status)
