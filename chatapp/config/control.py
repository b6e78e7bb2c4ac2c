"""The control socket of a chat that one process has."""

from chatapp.backends import backend_of
from chatapp.community.people import Acquaintance, Acquaintances
from chatapp.config.environment import Globals
from chatapp.console.console import Console
from chatapp.console.control import Control
from chatapp.console.finding import Finding
from chatapp.lib.gate import person_of
from chatapp.live.hub import Hub
from chatapp.model.message import handle
from chatapp.names import folded

__all__ = ["make_control"]


def make_control(shared: Globals) -> Control | None:
    """None where several processes may have it: what is changed beside them they follow."""
    hub = shared.hub
    if hub.log.shared:
        return None
    options, known = hub.options, shared.acquaintances
    finding = Finding(hub.log, shared.book, known, _Here(hub, known).find)
    console = Console(hub.log, shared.book, shared.keeping, finding, options.url, options.identity)
    return Control(console, options.data, backend_of(options.log).name)


class _Here:
    """Those who are here, also if they have not said anything yet."""

    def __init__(self, hub: Hub, known: Acquaintances) -> None:
        self._hub = hub
        self._known = known

    async def find(self, who: str) -> Acquaintance | None:
        """The one with that nick, handle or id, who is known from then on."""
        for here in self._hub.participants.values():
            if who in (here.sender, handle(here.sender)) or folded(here.nick) == folded(who):
                person = person_of(here)._replace(name=here.nick)
                await self._known.note(person, here.address)
                return Acquaintance(person, here.address or "")
        return None
