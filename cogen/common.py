"""What most programs need, as cogen 0.2 had it: `from cogen.common import *`."""

from cogen.core import events, sockets
from cogen.core.coroutines import coro, coroutine
from cogen.core.gone import priority, proactors
from cogen.core.schedulers import Scheduler

__all__ = ["Scheduler", "coro", "coroutine", "events", "priority", "proactors", "sockets"]
