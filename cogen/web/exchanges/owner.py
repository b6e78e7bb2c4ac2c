"""What a request owns: the coroutines that it starts, which end with it."""

import asyncio
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final

from cogen.core.coroutines import Coroutine
from cogen.core.durations import Duration
from cogen.core.groups import JoinGroup, TaskGroup
from cogen.core.schedulers import Scheduler
from cogen.core.scopes import current_owner
from cogen.web.exchanges.exchange import Exchange

__all__ = ["RequestGroup"]

# Those that the request starts have it in their contexts, copies of its own.
_group: Final[ContextVar[TaskGroup]] = ContextVar("cogen.group")


class RequestGroup:
    """environ['cogen.group']: the task group of the request whose code uses it.

    It is made when it is first used, so one object is that of all requests. What a request starts
    is cancelled when the request is over, however that came. If it fails, that is raised at what
    the request waits for, or at its next wait, as an ExceptionGroup; it is logged where no wait
    comes. Its coroutines may use it too. Methods are as of TaskGroup.
    """

    __slots__ = ("_ending", "_groups", "_quiet")

    def __init__(self) -> None:
        self._groups: dict[Exchange, TaskGroup] = {}
        self._ending: dict[Coroutine, None] = {}  # that clean up when their request is over
        self._quiet: asyncio.Event | None = None

    def start(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Coroutine:
        """Start the coroutine function `function(*args, **kwargs)`; it ends with the request.

        Raises RuntimeError outside of a request, and as `TaskGroup.start`.
        """
        return self.own().start(function, *args, **kwargs)

    def cancel(self) -> None:
        """Cancel what the request has started; it starts no more."""
        self.own().cancel()

    def join(self, timeout: Duration | None = None) -> JoinGroup:
        """The operation that waits until all that it has started have ended."""
        return self.own().join(timeout)

    def __len__(self) -> int:
        return len(self.own())

    def __iter__(self) -> Iterator[Coroutine]:
        return iter(self.own())

    def __bool__(self) -> bool:
        return True

    def own(self) -> TaskGroup:
        """The group itself. Raises RuntimeError outside of a request."""
        scheduler, owner = current_owner()
        if isinstance(owner, Exchange) and not owner.ended:
            group = self._groups.get(owner)
            return group if group is not None else self._make(scheduler, owner)
        started_by = _group.get(None)
        if started_by is None or isinstance(owner, Exchange):
            raise RuntimeError(
                f"environ['cogen.group'] is of requests that are not over, and this is code of "
                f"{owner!r}: start it in environ['cogen.server_group'], or a TaskGroup of its own"
            )
        return started_by

    def _make(self, scheduler: Scheduler, exchange: Exchange) -> TaskGroup:
        group = self._groups[exchange] = TaskGroup(scheduler)
        group.bind(exchange)
        exchange.add_done_callback(self._ended)
        _group.set(group)
        return group

    async def all_ended(self) -> None:
        """Return when nothing is left that requests which are over have started."""
        while self._ending:
            self._quiet = asyncio.Event()
            await self._quiet.wait()

    def statistics(self) -> dict[str, int]:
        """Counts: requests that have one; coroutines of these, and of requests that are over."""
        groups = list(self._groups.values())
        coroutines = sum(map(len, groups)) + len(self._ending)
        return {"groups": len(groups), "coroutines": coroutines}

    def _ended(self, exchange: Exchange) -> None:
        group = self._groups.pop(exchange)
        group.release()
        for coroutine in group:
            self._ending[coroutine] = None
            coroutine.add_done_callback(self._cleaned_up)

    def _cleaned_up(self, coroutine: Coroutine) -> None:
        del self._ending[coroutine]
        if not self._ending and self._quiet is not None:
            self._quiet.set()

    def __repr__(self) -> str:
        return "<RequestGroup: of the request that uses it>"
