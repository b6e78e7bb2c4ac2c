"""The records in Redis: beside the log, the same for every process.

chat:record:KEY   a record: the Unix time until which it is kept (0: for ever), a space, the text
"""

from collections.abc import Callable, Mapping, Sequence

from chatapp.model.records import Record, Records
from chatapp.model.redis.calls import Calls
from chatapp.redis.commands import Argument, Script

__all__ = ["RedisRecords"]

_PREFIX = "chat:record:"
# Keys that one look at everything takes at once.
_AT_ONCE = 500

_COMMON = """
local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = time[1] + time[2] / 1000000
end

local function text(key)
    local expires, kept = string.match(redis.call('GET', key) or '', '^(%S+) (.*)$')
    if expires and (tonumber(expires) == 0 or tonumber(expires) > now) then return kept end
    return false
end
"""

_GET = Script(
    _COMMON
    + """
-- keys -> the text of each, nil where there is none
local found = {}
for i, key in ipairs(KEYS) do found[i] = text(key) end
return found
"""
)

_CHANGE = Script(
    _COMMON
    + """
-- keys of what was found, keys to change; how many the first are, then for each of them '+' and its
-- text or '', then for each of the others text and seconds: '' for ever, '-' gone -> whether it was
local count = tonumber(ARGV[2])
for i = 1, count do
    local kept = text(KEYS[i])
    if (kept and '+' .. kept or '') ~= ARGV[2 + i] then return 0 end
end
for i = count + 1, #KEYS do
    local at = 2 + count + 2 * (i - count) - 1
    local kept, seconds = ARGV[at], ARGV[at + 1]
    if seconds == '-' then
        redis.call('DEL', KEYS[i])
    elseif seconds == '' then
        redis.call('SET', KEYS[i], '0 ' .. kept)
    else
        local expires = string.format('%.3f', now + seconds)
        local milliseconds = math.max(1, math.ceil(seconds * 1000))
        redis.call('SET', KEYS[i], expires .. ' ' .. kept, 'PX', milliseconds)
    end
end
return 1
"""
)

_ALL = Script(
    """
-- cursor, pattern, how many at once -> cursor, keys
return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
"""
)


class RedisRecords(Records):
    """By `calls` of an engine; `wall`: Unix seconds, in place of the engine's own clock."""

    def __init__(self, calls: Calls, wall: Callable[[], float] | None = None) -> None:
        self._calls = calls
        self._wall = wall

    async def get(self, keys: Sequence[str]) -> dict[str, str]:
        texts = await self._calls.run(_GET, [_PREFIX + key for key in keys], [self._now()])
        found = zip(keys, texts, strict=True)
        return {key: str(text, "utf-8", "replace") for key, text in found if text is not None}

    async def change(
        self, found: Mapping[str, str | None], changes: Mapping[str, Record | None]
    ) -> bool:
        keys = [_PREFIX + key for key in (*found, *changes)]
        words: list[Argument] = [self._now(), len(found)]
        words += ["" if text is None else f"+{text}" for text in found.values()]
        for record in changes.values():
            if record is None:
                words += ["", "-"]
            else:
                words += [record.text, "" if record.seconds is None else record.seconds]
        return bool(await self._calls.run(_CHANGE, keys, words))

    async def all(self, prefix: str) -> dict[str, str]:
        pattern = f"{_PREFIX}{_literal(prefix)}*"
        cursor, names = b"0", set[bytes]()
        while True:
            cursor, some = await self._calls.run(_ALL, [], [cursor, pattern, _AT_ONCE])
            names.update(some)
            if cursor == b"0":
                break
        keys = sorted(str(name, "utf-8", "replace").removeprefix(_PREFIX) for name in names)
        found: dict[str, str] = {}
        for at in range(0, len(keys), _AT_ONCE):
            found.update(await self.get(keys[at : at + _AT_ONCE]))
        return found

    def _now(self) -> Argument:
        return "" if self._wall is None else self._wall()


def _literal(prefix: str) -> str:
    """`prefix` as a pattern that means itself."""
    return "".join(f"\\{each}" if each in "\\*?[]^" else each for each in prefix)
