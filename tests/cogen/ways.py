"""What a wait is enclosed by that is left in a way which is named."""

from cogen.core.deadlines import Deadline
from cogen.core.events import Sleep
from cogen.core.groups import TaskGroup

SECONDS = 5
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def enclosed(way):
    """The block for that way to leave a wait, which it does after SECONDS if by itself."""
    if way == "a deadline":
        return Deadline(SECONDS)
    group = TaskGroup()
    if way == "the failure of a group":
        group.start(_failing)
    return group


def _failing():
    yield Sleep(SECONDS)
    raise ZeroDivisionError
