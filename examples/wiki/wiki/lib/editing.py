"""Who is editing which page, in this process."""

import threading
import time

# So long somebody counts who neither saves nor leaves.
SECONDS = 600


class Editing:
    """Whoever opened a page's form and has not saved it; who waits for a change is told.

    What waits are requests on cogen's server; on another one nobody does, and nobody is told.
    """

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._since = {}
        self._changes = None

    def editors(self, title):
        """Their names."""
        oldest = self._clock() - SECONDS
        with self._lock:
            for key in [key for key, since in self._since.items() if since < oldest]:
                del self._since[key]
            return sorted(name for page, name in self._since if page == title)

    def begin(self, title, name):
        """`name` edits the page."""
        with self._lock:
            self._since[title, name] = self._clock()

    def end(self, title, name):
        """`name` has saved it."""
        with self._lock:
            self._since.pop((title, name), None)

    def tell(self, environ, title):
        """The chunks to yield that tell who waits of a change; none where nobody can wait."""
        if self._changes is not None:
            yield environ["cogen.call"](self._changes.publish)(title)

    def wait(self, environ, title, known, seconds):
        """The chunks to yield that wait until the editors are others than `known`."""
        call, core = environ["cogen.call"], environ["cogen.core"]
        if self._changes is None:
            self._changes = core.pubsub.PublishSubscribeQueue()
        # Before the look, so that no change falls between the two.
        yield call(self._changes.subscribe)()
        deadline = self._clock() + seconds
        while self.editors(title) == known and (left := deadline - self._clock()) > 0:
            yield call(self._changes.fetch)(timeout=left)
            if isinstance(environ["cogen.wsgi"].result, core.events.OperationTimeout):
                return
