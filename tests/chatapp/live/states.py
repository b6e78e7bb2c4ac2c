"""Whether all that is alive in a hub is in a state that there may be, as its modules say.

To be asked while nothing runs: then each poll that is held waits.
"""

from typing import Any

from chatapp.live.poll import WAIT

__all__ = ["check_states"]


def check_states(hub: Any) -> None:
    """Raises AssertionError for a state of a poll, a client or a room that there is not."""
    clients = hub._all_clients()
    for client in clients:
        if client.poll is None:
            _check_idle(hub, client)
        else:
            _check_held(client, client.poll)
    for name, room in hub.rooms.items():
        here = [each for each in clients if name in each.subscriptions]
        inside = [each for each in here if each.subscriptions[name].room is room]
        assert room._clients == len(inside) > 0, (name, room._clients, inside)
        _check_presence(room)
    assert hub.clients == len(clients) - len(hub._visitors)


def _check_held(client: Any, poll: Any) -> None:
    assert poll.client is client and poll.waiting and poll.ended is None, client
    assert poll.rooms.keys() == client.subscriptions.keys(), (client, poll.rooms)
    assert client.messages.empty(), f"{client} waits for what is there"
    for name, progress in poll.rooms.items():
        room = progress.room
        assert progress.subscription is client.subscriptions[name], (client, name)
        assert progress.subscription.watch is not None, f"{client} does not hear of {name}"
        assert room.head is not None and progress.position == room.head, (
            f"{client} is at {progress.position} of {name}, whose head is {room.head}"
        )
        assert not (progress.behind or progress.unread), f"{client} has not read {name}"
        assert progress.gap is None or not poll.json, f"{client} is not told what is lost"
    assert poll.hold > 0 and poll.step() is WAIT, f"{client} waits in vain"


def _check_idle(hub: Any, client: Any) -> None:
    subscriptions = client.subscriptions
    watches = [each.watch is not None for each in subscriptions.values()]
    assert all(watches) or not any(watches), f"{client} hears of some rooms only"
    assert any(watches) or client.messages.empty(), f"{client} has something, and hears of nothing"
    assert len(client.messages) <= client.messages.maxsize
    assert not client.participant.is_visitor, f"{client} visits without a poll"
    assert hub.lease(client.participant.id, client.tab) > 0
    if any(watches) and client.messages.empty() and client.epoch == hub.log.epoch:
        for name, each in subscriptions.items():
            if each.sent is not None and not each.unread:
                assert each.sent == each.room.head, f"{client} has missed something of {name}"


def _check_presence(room: Any) -> None:
    changing = room._timer is not None
    assert not (room.has_snapshot and room._guessed), f"{room.name}: known and guessed"
    assert changing == room.is_changing, f"{room.name}: changes that are not announced"
    assert room.announced <= room.version, (room.name, room.announced, room.version)
    assert changing or room.announced == room.version, (room.name, room.announced, room.version)
    assert room._listed.keys() <= room._changes.keys(), f"{room.name}: lists of what is not told"
