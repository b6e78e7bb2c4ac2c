"""For the tests of programs and applications that wait; under unittest, nose and pytest alike.

`clock`: a scheduler whose clock jumps. `memory`: the server without sockets, and who asks it.
`streams`: connections without sockets. `waiting`: an application that waits, for WebTest.
"""

from cogen.core.deadlock import Deadlock
from cogen.testing.clock import FakeClock, FakeClockLoop
from cogen.testing.memory import Answer, Browser, MemoryServer, MemoryTransport
from cogen.testing.streams import memory_streams
from cogen.testing.waiting import WaitingApp

__all__ = [
    "Answer",
    "Browser",
    "Deadlock",
    "FakeClock",
    "FakeClockLoop",
    "MemoryServer",
    "MemoryTransport",
    "WaitingApp",
    "memory_streams",
]
