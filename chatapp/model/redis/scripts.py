"""The log's keys, and its scripts: each is one step for the engine, seen by all or by none.

chat:heads        hash: ROOM -> seq of its newest message; the log's epoch under EPOCH, the id of
                  the stream's entry that began it under SINCE, the epochs that it goes on from
                  under PAST, and which engine wrote it under ENGINE: they live and die together
chat:heads:EPOCH  the same of an epoch that has ended, as it was then
chat:starts       hash: ROOM -> the seq after which it began, where that is not 0
chat:spoken       sorted set: ROOM, the Unix time at which somebody last spoke there
chat:names        hash: ROOM -> what it folds to (chatapp.names.folded)
chat:folds        hash: the other way round; of rooms that fold to the same, one
chat:gone         hash: of rooms that gave way, the last seq by slot (chatapp.model.rooms)
chat:stream       stream of what is stored in all rooms, for those who follow; the newest only
chat:room:ROOM    stream of a room's messages, the id of each is SEQ-0
chat:record:KEY   what is kept beside messages: chatapp.model.redis.records
chat:nonce:HASH   what a nonce was used for: a digest of the text, the seq, the time
chat:anew         a stream while it is written anew, in one step: chatapp.model.redis.removing

An entry has the fields of chatapp.model.message by name; those that are empty are not there. One of
the stream of all rooms has `cut` too where others were given up with it: the id of the last.

chat:directory:room:ROOM is there while somebody is in the room, which is the directory's to say.
"""

from chatapp.model.log import LOBBY
from chatapp.model.redis.rooms import ROOMS
from chatapp.model.redis.storing import ENGINE, FORGET, NOW, STORE, STREAM_LENGTH
from chatapp.redis.commands import Script

__all__ = [
    "APPEND",
    "BEGIN",
    "FIND",
    "FOLD",
    "HEADS",
    "HEADS_KEY",
    "LIST",
    "LOCATE",
    "NAMED",
    "STREAM_KEY",
]

HEADS_KEY = "chat:heads"
"""The hash of the rooms' newest seqs, and of what the log is."""
STREAM_KEY = "chat:stream"
"""The stream of what is stored in all rooms."""

# The fields of HEADS_KEY that are no room end with a space: no room's name has one.
_FIELDS = "'epoch ', 'since ', 'past '"
_PAST_SECONDS = 86400

# KEYS: heads, stream, the nonce's if there is one: as it is kept, and as older versions kept it.
# ARGV: epoch, room, time or '', history, max_age, max_rooms, digest, nonce's seconds, 1 if the room
# may be a new one, what its name folds to, id of an entry that was in the stream; then name and
# value of each field, nick and text first: an older version looks for the time behind these.
# Returns {'stored', room, seq, id}, {'known', room, what the nonce was used for}, {'unknown'}
# where the room is not to be opened, {'rooms'} where all are in use, or {'epoch'}, also
# where the entry is gone though older ones are there: numbers must not be given out twice.
APPEND = Script(f"""{NOW}{ENGINE}{ROOMS}{STORE}
local heads, stream, nonce, former = unpack(KEYS)
local epoch, asked, given, history, max_age, max_rooms = unpack(ARGV)
local digest, nonce_seconds, opens, fold, seen_id = unpack(ARGV, 7)
local now = seconds(given)
local id, promoted = engine(heads)
if promoted or redis.call('HGET', heads, 'epoch ') ~= epoch then return {{'epoch'}} end
local seen = redis.call('XREVRANGE', stream, seen_id, '-', 'COUNT', 1)[1]
if seen and seen[1] ~= seen_id then return {{'epoch'}} end
local name = meant(heads, asked, fold)
local room = 'chat:room:' .. name
local head, is_there, start = head_of(heads, name)
local known = nonce and (redis.call('GET', nonce) or redis.call('GET', former))
local used = known and tonumber(string.match(known, '^%x+ (%d+) [%d.]+ ') or '')
if used and used <= head then return {{'known', name, known}} end
if not is_there then
    if name ~= '{LOBBY}' then
        if opens ~= '1' then return {{'unknown'}} end
        if not make_room(heads, tonumber(max_rooms), now) then return {{'rooms'}} end
    end
    redis.call('DEL', room)
    redis.call('HSET', names, name, fold)
    redis.call('HSET', folds, fold, name)
    if start > 0 then redis.call('HSET', starts, name, start) end
end
local fields = {{unpack(ARGV, 12)}}
local seq, entry = store(heads, stream, name, head, fields, now, history, max_age, id)
if nonce then
    local used_for = {{digest, seq, timestamp(now), ''}}
    redis.call('SET', nonce, table.concat(used_for, ' '), 'EX', nonce_seconds)
end
return {{'stored', name, seq, entry}}
""")

# KEYS: heads. ARGV: names, each with what it folds to. Returns what each is called, '' if it is not
# there.
NAMED = Script(f"""{ROOMS}
local called = {{}}
for i = 1, #ARGV, 2 do
    local name = meant(KEYS[1], ARGV[i], ARGV[i + 1])
    local is_there = name == '{LOBBY}' or redis.call('HEXISTS', KEYS[1], name) == 1
    called[#called + 1] = is_there and name or ''
end
return called
""")

# KEYS: heads. ARGV: rooms that may lack it, each with what it folds to, the longest silent first.
FOLD = Script(f"""{ROOMS}
for i = 1, #ARGV, 2 do
    local name, fold = ARGV[i], ARGV[i + 1]
    if redis.call('HEXISTS', KEYS[1], name) == 1 and redis.call('HEXISTS', names, name) == 0 then
        redis.call('HSET', names, name, fold)
        redis.call('HSETNX', folds, fold, name)
    end
end
""")

# KEYS: heads, the room's.
# ARGV: room, time or '', max_age, XRANGE or XREVRANGE, its start and end, limit.
# Returns {epoch, head, id of the first message held, messages as the range has them, start}.
FIND = Script(f"""{NOW}{FORGET}{ROOMS}
local name, given, max_age, command, from, to, limit = unpack(ARGV)
local epoch = redis.call('HGET', KEYS[1], 'epoch ')
local head, _, start = head_of(KEYS[1], name)
local front = forget(KEYS[2], seconds(given), max_age)
local found = {{}}
if tonumber(limit) > 0 then found = redis.call(command, KEYS[2], from, to, 'COUNT', limit) end
return {{epoch, head, front and front[1] or false, found, start}}
""")

# KEYS: heads, stream. ARGV: id of an entry.
# Returns {epoch, since, past, id of the stream's first entry, of its last, the entry itself, 1 if
# another epoch has to begin because the engine was promoted}.
LOCATE = Script(f"""{ENGINE}
local epoch, since, past = unpack(redis.call('HMGET', KEYS[1], {_FIELDS}))
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local entry = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
local _, promoted = engine(KEYS[1])
return {{
    epoch, since, past, first and first[1] or false, last and last[1] or false, entry or false,
    promoted and 1 or 0
}}
""")

# KEYS: heads, stream. Returns {id of the stream's last entry, heads}, both of one moment.
HEADS = Script("""
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
return {last and last[1] or false, redis.call('HGETALL', KEYS[1])}
""")

# KEYS: heads. Returns {heads, names with the time at which somebody last spoke there, the lobby's
# newest entry}.
LIST = Script(f"""
return {{
    redis.call('HGETALL', KEYS[1]),
    redis.call('ZRANGE', 'chat:spoken', 0, -1, 'WITHSCORES'),
    redis.call('XREVRANGE', 'chat:room:{LOBBY}', '+', '-', 'COUNT', 1)
}}
""")

# KEYS: heads, stream. ARGV: the epoch that ends, empty if there is none; the one that begins; what
# is put after the one that ends in PAST. Does nothing if another has ended it already.
BEGIN = Script(f"""{ENGINE}
local heads, stream = unpack(KEYS)
local ended, begun, mark = unpack(ARGV)
if (redis.call('HGET', heads, 'epoch ') or '') ~= ended then return end
local past = ''
if ended ~= '' then
    local copy = heads .. ':' .. ended
    redis.call('COPY', heads, copy, 'REPLACE')
    redis.call('EXPIRE', copy, {_PAST_SECONDS})
    past = redis.call('HGET', heads, 'past ') .. ended .. mark .. ' '
end
local id = redis.call('XADD', stream, 'MAXLEN', '~', {STREAM_LENGTH}, '*', 'epoch', begun)
redis.call('HSET', heads, 'epoch ', begun, 'since ', id, 'past ', past, 'engine ', (engine(heads)))
""")
