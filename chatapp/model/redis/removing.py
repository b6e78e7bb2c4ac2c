"""Taking a message's text out of Redis: a script, and who calls it.

An entry of a stream cannot be changed, and one that is deleted stays in the engine's memory, and in
its snapshots, as long as there are others of the same node. So the room's stream is written anew,
with what is left of the message under the same id, and so are the newest entries of the stream of
all rooms; older ones are given up, and who is that far behind reads the rooms. Whoever looks, an
older version as well, sees all of it or nothing.

To write a room anew takes about 6 us for each message that it holds, in which the engine does
nothing else. Those of one room that come meanwhile are one copy, and between copies it rests.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from chatapp.model.log import LogUnavailable, NoSuchMessage, Stored
from chatapp.model.message import LASTING, REMOVED, Draft
from chatapp.model.redis.rooms import ROOMS
from chatapp.model.redis.storing import ENGINE, NOW, STORE
from chatapp.redis.commands import Script

__all__ = ["FOLLOWED", "REMOVE", "Removals"]

log = logging.getLogger(__name__)

# Fewer than a reader takes at once, so that one that missed others sees by what tells of the
# removal, which is among the next that it reads, that it did.
FOLLOWED = 900
"""Entries of the stream of all rooms that are kept where something is removed."""
_LASTING = " or ".join(f"value == '{kind}'" for kind in LASTING)

# KEYS: heads, stream. ARGV: epoch, room, what its name folds to, time or '', history, max_age, id
# of an entry that was in the stream, how many entries of that are kept, how many messages are
# removed; of each its seq, how many words follow,
# and as these the name and value of each field of what tells of it.
# Returns {'removed', room, of each {seq, id} of what tells of it or nil where there is no such
# message}, or {'epoch'} as APPEND does.
REMOVE = Script(f"""{NOW}{ENGINE}{ROOMS}{STORE}
local heads, stream = unpack(KEYS)
local epoch, asked, fold, given, history, max_age, seen_id, kept, count = unpack(ARGV)
local now = seconds(given)
local engine_id, promoted = engine(heads)
if promoted or redis.call('HGET', heads, 'epoch ') ~= epoch then return {{'epoch'}} end
local seen = redis.call('XREVRANGE', stream, seen_id, '-', 'COUNT', 1)[1]
if seen and seen[1] ~= seen_id then return {{'epoch'}} end

local function value_of(entry, name)
    for i = 1, #entry[2], 2 do
        if entry[2][i] == name then return entry[2][i + 1] end
    end
end

-- The fields of what is left of it.
local function emptied(entry)
    local left, has_kind = {{}}, false
    for i = 1, #entry[2], 2 do
        local name, value = entry[2][i], entry[2][i + 1]
        if name == 'text' then value = '' end
        if name == 'kind' then value, has_kind = '{REMOVED}', true end
        if name ~= 'nonce' then
            table.insert(left, name)
            table.insert(left, value)
        end
    end
    if not has_kind then
        table.insert(left, 'kind')
        table.insert(left, '{REMOVED}')
    end
    return left
end

local function write_anew(from, start, is_removed)
    local to = 'chat:anew'
    redis.call('DEL', to)
    while true do
        local entries = redis.call('XRANGE', from, start, '+', 'COUNT', 500)
        for _, entry in ipairs(entries) do
            local fields = is_removed(entry) and emptied(entry) or entry[2]
            redis.call('XADD', to, entry[1], unpack(fields))
        end
        if #entries < 500 then break end
        start = '(' .. entries[#entries][1]
    end
    redis.call('RENAME', to, from)
end

local function is_there(room, seq)
    local entry = redis.call('XRANGE', room, seq .. '-0', seq .. '-0')[1]
    if not entry then return false end
    local value = value_of(entry, 'kind')
    return not ({_LASTING})
end

local name = meant(heads, asked, fold)
local room = 'chat:room:' .. name
forget(room, now, max_age)
local told, removed = {{}}, {{}}
local at = 10
for n = 1, tonumber(count) do
    local seq, words = ARGV[at], tonumber(ARGV[at + 1])
    told[n] = false
    if is_there(room, seq) and not removed[seq] then
        told[n], removed[seq] = {{unpack(ARGV, at + 2, at + 1 + words)}}, true
    end
    at = at + 2 + words
end
if next(removed) == nil then return {{'removed', name, told}} end

write_anew(room, '-', function(entry)
    return removed[string.match(entry[1], '^%d+')]
end)
local others = {{}}
local followed = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', kept)
if #followed > 0 then
    local first = followed[#followed][1]
    local given_up = redis.call('XREVRANGE', stream, '(' .. first, '-', 'COUNT', 1)[1]
    if given_up then others = {{'cut', given_up[1]}} end
    write_anew(stream, first, function(entry)
        return value_of(entry, 'room') == name and removed[value_of(entry, 'seq')]
    end)
end
for n, fields in ipairs(told) do
    if fields then
        local head = tonumber(redis.call('HGET', heads, name))
        told[n] = {{store(
            heads, stream, name, head, fields, now, history, max_age, engine_id, others)}}
    end
end
return {{'removed', name, told}}
""")

# Of the time, the part in which a room may be written anew.
_PART = 0.1
_LONGEST_REST = 5.0
_MOST_WAITING = 100


class Removals:
    """Those that this process was asked for. `remove` does some of one room at once: it returns
    where what tells of each is stored, None for one that is not there. Raises LogUnavailable."""

    def __init__(
        self,
        remove: Callable[[str, Sequence[tuple[int, Draft]]], Awaitable[Sequence[Stored | None]]],
    ) -> None:
        self._remove = remove
        self._waiting: dict[str, list[tuple[int, Draft, asyncio.Future[Stored]]]] = {}
        self._count = 0
        self._removing: asyncio.Task[None] | None = None
        self._rested = asyncio.Event()  # whether there is to be no rest any more

    async def remove(self, room: str, seq: int, draft: Draft) -> Stored:
        """As MessageLog has it."""
        if self._count >= _MOST_WAITING:
            raise LogUnavailable("too many messages wait to be removed")
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(room, []).append((seq, draft, future))
        self._count += 1
        if self._removing is None:
            self._removing = asyncio.create_task(self._run())
        return await future

    async def close(self) -> None:
        """Do what was asked for."""
        self._rested.set()
        if self._removing is not None:
            await asyncio.wait((self._removing,))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                room = next(iter(self._waiting))
                asked = self._waiting.pop(room)
                self._count -= len(asked)
                began = loop.time()
                await self._settle(room, asked)
                await self._rest(min(_LONGEST_REST, (loop.time() - began) * (1 / _PART - 1)))
        finally:
            self._removing = None

    async def _settle(
        self, room: str, asked: Sequence[tuple[int, Draft, asyncio.Future[Stored]]]
    ) -> None:
        outcomes: Sequence[Stored | Exception | None]
        try:
            outcomes = await self._remove(room, [(seq, draft) for seq, draft, _ in asked])
        except LogUnavailable as error:
            outcomes = [error] * len(asked)
        except Exception as error:
            # Whatever it is, those who wait are answered, and those who come after.
            log.exception("messages of room %s could not be removed", room)
            outcomes = [LogUnavailable(f"{room}: {error}")] * len(asked)
        for (seq, _, future), outcome in zip(asked, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Stored):
                future.set_result(outcome)
            else:
                future.set_exception(outcome or NoSuchMessage(f"{room} has no message {seq}"))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._rested.wait()
        except TimeoutError:
            pass
