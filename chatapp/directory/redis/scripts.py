"""What the engine does in one step each.

All keys begin with KEYS[1]:

    who:ID      hash of a participant: `nick`, its looks in `fold` and, by `/TAB`, the worker and
                the rooms of each client
    nicks       hash: what a nick looks like -> ID
    leases      sorted set: when the lease ends of the client ID/TAB, or of ID that has no client
    swept       when leases were last looked through, until when none ends, and in which engine
    room:ROOM   sorted set: ID of those present, in the order they came
    news        stream of presence events: every join, leave and rename, numbered by `n`
    told        the number of the last event
    marks       hash: ROOM -> `n` of its last event, its version, while somebody is there
    arrivals    how often anybody came into any room
    names       hash: what a room's name folds to -> ROOM, of those that somebody is in or asked for
    folds       hash: the other way round, of those that somebody is in
    asked       sorted set: when a name that nobody is in was asked for, by what it folds to
    moves:W     stream: clients of the worker W that poll at another one now
    spent:LIMIT:KEY    when a token bucket will be full, while it is not
    at:ID/TAB   the cursor of a client that carries none
    secret      fingerprint of the secret that the workers sign with

ARGV[1] is the time in milliseconds; if it is empty, the engine's own clock counts. What a nick
looks like (chatapp.names.looks) are texts joined by line breaks.
"""

from chatapp.directory.directory import PRESENCE_LIMIT
from chatapp.redis.commands import Script

__all__ = [
    "CONSUME",
    "COUNTS",
    "HEARTBEAT",
    "JOIN",
    "LEAVE",
    "LOAD_CURSOR",
    "PEOPLE",
    "REGISTER",
    "RENAME",
    "RENEW",
    "ROOM_NAMES",
    "SAVE_CURSOR",
    "SWEEP",
    "WHOSE",
]

_MOST_EVENTS = 10_000
_MOST_MOVES = 1000
# Names of rooms that somebody has asked for and nobody is in.
_MOST_ASKED = 10_000

_COMMON = f"""
local PRESENCE_LIMIT, MOST_EVENTS, MOST_MOVES = {PRESENCE_LIMIT}, {_MOST_EVENTS}, {_MOST_MOVES}
local MOST_ASKED = {_MOST_ASKED}
"""

_COMMON += """
local prefix = KEYS[1]
local leases, nicks = prefix .. 'leases', prefix .. 'nicks'
local names, folds, asked = prefix .. 'names', prefix .. 'folds', prefix .. 'asked'

local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function publish(what, room, id, nick, size)
    local n = redis.call('INCR', prefix .. 'told')
    if n == 1 then
        -- An engine that has forgotten all still counts on.
        n = now
        redis.call('SET', prefix .. 'told', string.format('%.0f', n))
    end
    redis.call('XADD', prefix .. 'news', 'MAXLEN', '~', MOST_EVENTS, '*',
        'n', n, 'what', what, 'room', room, 'id', id, 'nick', nick, 'size', size)
    if size > 0 then
        redis.call('HSET', prefix .. 'marks', room, n)
    else
        redis.call('HDEL', prefix .. 'marks', room)
    end
end

local function extend(member, milliseconds)
    redis.call('ZADD', leases, 'GT', now + milliseconds, member)
end

-- If the participant has no client, they stay for a while.
local function linger(id, milliseconds)
    if redis.call('HLEN', prefix .. 'who:' .. id) <= 2 then extend(id, milliseconds) end
end

-- 'WORKER ROOM,ROOM' -> WORKER, ',ROOM,ROOM,'
local function unpacked(client)
    if not client then return nil, ',' end
    local worker, rooms = string.match(client, '^(%S*) (.*)$')
    return worker, ',' .. rooms .. ','
end

local function includes(rooms, room)
    return string.find(rooms, ',' .. room .. ',', 1, true) ~= nil
end

-- Whether the participant has a client in the room.
local function present(id, room)
    local fields = redis.call('HGETALL', prefix .. 'who:' .. id)
    for i = 1, #fields, 2 do
        if string.sub(fields[i], 1, 1) == '/' then
            local _, rooms = unpacked(fields[i + 1])
            if includes(rooms, room) then return true end
        end
    end
    return false
end

-- The name of a room is kept as long as somebody is in it.
local function keep_name(room, fold)
    redis.call('HSETNX', names, fold, room)
    redis.call('HSET', folds, room, fold)
    if redis.call('HGET', names, fold) == room then redis.call('ZREM', asked, fold) end
end

local function drop_name(room)
    local fold = redis.call('HGET', folds, room)
    if not fold then return end
    redis.call('HDEL', folds, room)
    if redis.call('HGET', names, fold) == room then redis.call('HDEL', names, fold) end
end

-- Drop the names that were asked for long ago, and the oldest of too many.
local function drop_asked(milliseconds)
    local old = redis.call('ZRANGEBYSCORE', asked, '-inf', now - milliseconds, 'LIMIT', 0, 1000)
    local many = redis.call('ZCARD', asked) - MOST_ASKED
    if many > #old then old = redis.call('ZRANGE', asked, 0, many - 1) end
    for _, fold in ipairs(old) do
        redis.call('ZREM', asked, fold)
        redis.call('HDEL', names, fold)
    end
end

local function enter(id, nick, room, fold)
    local key = prefix .. 'room:' .. room
    if redis.call('ZSCORE', key, id) then return end
    redis.call('ZADD', key, redis.call('INCR', prefix .. 'arrivals'), id)
    local size = redis.call('ZCARD', key)
    if size == 1 then keep_name(room, fold) end
    if size <= PRESENCE_LIMIT + 1 then publish('join', room, id, nick, size) end
end

local function leave(id, room)
    if present(id, room) then return end
    local key = prefix .. 'room:' .. room
    redis.call('ZREM', key, id)
    local size = redis.call('ZCARD', key)
    if size == 0 then drop_name(room) end
    if size < PRESENCE_LIMIT then publish('leave', room, id, '', size) end
    if size == PRESENCE_LIMIT then publish('count', room, id, '', size) end
end

-- Let `worker` know, within that time, that a client of its polls at another one.
local function moved(worker, id, tab, milliseconds)
    local moves = prefix .. 'moves:' .. worker
    redis.call('XADD', moves, 'MAXLEN', '~', MOST_MOVES, '*', 'id', id, 'tab', tab)
    redis.call('PEXPIRE', moves, milliseconds)
end

local function each(looks)
    return string.gmatch(looks, '[^\\n]+')
end

local function disown(id)
    for look in each(redis.call('HGET', prefix .. 'who:' .. id, 'fold') or '') do
        if redis.call('HGET', nicks, look) == id then redis.call('HDEL', nicks, look) end
    end
end

-- Give `id` the nick; or, if another has one that looks like it, return that.
local function claim(id, nick, looks)
    for look in each(looks) do
        local owner = redis.call('HGET', nicks, look)
        if owner and owner ~= id then
            return redis.call('HGET', prefix .. 'who:' .. owner, 'nick') or nick
        end
    end
    disown(id)
    for look in each(looks) do redis.call('HSET', nicks, look, id) end
    redis.call('HSET', prefix .. 'who:' .. id, 'nick', nick, 'fold', looks)
    return false
end
"""


def _script(text: str) -> Script:
    return Script(_COMMON + text)


JOIN = _script("""
-- id, nick or '', its looks, milliseconds -> the nick, or nil if it is another's
local id, nick, looks, milliseconds = unpack(ARGV, 2)
local claimed = redis.call('HGET', prefix .. 'who:' .. id, 'nick')
if not claimed then
    if nick == '' or claim(id, nick, looks) then return nil end
    claimed = nick
end
linger(id, milliseconds)
return claimed
""")

RENAME = _script("""
-- id, nick, its looks, milliseconds -> nil, or the nick of another that looks like it
local id, nick, looks, milliseconds = unpack(ARGV, 2)
local taken = claim(id, nick, looks)
if taken then return taken end
linger(id, milliseconds)
local published = {}
local fields = redis.call('HGETALL', prefix .. 'who:' .. id)
for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 1) == '/' then
        local _, rooms = unpacked(fields[i + 1])
        for room in string.gmatch(rooms, '[^,]+') do
            local size = redis.call('ZCARD', prefix .. 'room:' .. room)
            if not published[room] and size <= PRESENCE_LIMIT then
                publish('nick', room, id, nick, size)
            end
            published[room] = true
        end
    end
end
return nil
""")

WHOSE = _script("""
-- what a nick looks like -> id and nick of who has the first of it, or nil
local look = each(ARGV[2])()
local owner = look and redis.call('HGET', nicks, look)
local nick = owner and redis.call('HGET', prefix .. 'who:' .. owner, 'nick')
return nick and {owner, nick} or nil
""")

LEAVE = _script("""
-- worker, id, milliseconds
local worker, id, milliseconds = unpack(ARGV, 2)
local who, left = prefix .. 'who:' .. id, {}
local fields = redis.call('HGETALL', who)
for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 1) == '/' then
        local tab = string.sub(fields[i], 2)
        local holder, rooms = unpacked(fields[i + 1])
        redis.call('HDEL', who, fields[i])
        redis.call('ZREM', leases, id .. '/' .. tab)
        redis.call('DEL', prefix .. 'at:' .. id .. '/' .. tab)
        if holder ~= worker then moved(holder, id, tab, milliseconds) end
        for room in string.gmatch(rooms, '[^,]+') do left[room] = true end
    end
end
for room in pairs(left) do leave(id, room) end
redis.call('ZREM', leases, id)
disown(id)
redis.call('DEL', who)
return nil
""")

REGISTER = _script("""
-- worker, milliseconds, then for each client: id, tab, nick, its looks, rooms, what each of those
-- folds to and a line break -> positions (from 1) of those whose participant could not be given the
-- nick
local worker, milliseconds = ARGV[2], ARGV[3]
local refused = {}

local function register(id, tab, nick, looks, rooms, folded)
    local who, member = prefix .. 'who:' .. id, id .. '/' .. tab
    local holder, before = unpacked(redis.call('HGET', who, '/' .. tab))
    if rooms == '' then
        if holder ~= worker then return true end
        redis.call('HDEL', who, '/' .. tab)
        redis.call('ZREM', leases, member)
        redis.call('DEL', prefix .. 'at:' .. member)
        linger(id, milliseconds)
    else
        if not redis.call('HGET', who, 'nick') and claim(id, nick, looks) then return false end
        nick = redis.call('HGET', who, 'nick')
        redis.call('HSET', who, '/' .. tab, worker .. ' ' .. rooms)
        extend(member, milliseconds)
        if not holder then redis.call('ZREM', leases, id) end
        if holder and holder ~= worker then moved(holder, id, tab, milliseconds) end
    end
    local fold = string.gmatch(folded, '([^\\n]*)\\n')
    for room in string.gmatch(rooms, '[^,]+') do
        enter(id, nick, room, fold())
    end
    rooms = ',' .. rooms .. ','
    for room in string.gmatch(before, '[^,]+') do
        if not includes(rooms, room) then leave(id, room) end
    end
    return true
end

for i = 4, #ARGV, 6 do
    if not register(unpack(ARGV, i, i + 5)) then refused[#refused + 1] = (i - 4) / 6 + 1 end
end
return refused
""")

RENEW = _script("""
-- for each client: ID/TAB, milliseconds -> positions (from 1) of those that are not known
local unknown = {}
for i = 2, #ARGV, 2 do
    local member = ARGV[i]
    local longer = redis.call('ZADD', leases, 'XX', 'GT', 'CH', now + ARGV[i + 1], member)
    if longer == 0 and not redis.call('ZSCORE', leases, member) then
        unknown[#unknown + 1] = i / 2
    end
end
return unknown
""")

SWEEP = _script("""
-- most to do at once, milliseconds of a lease: as long stays a participant without a client, and a
-- name that was asked for -> how many leases ran out, or nil while none ends

-- The process that answers; empty where that is not told.
local function engine_id()
    local info = redis.pcall('INFO', 'server')
    return type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
end

-- Leases cannot be renewed while the engine is away. So each worker has the time of a lease to
-- come back to one that was started again, has taken the place of another, is empty, or was not
-- asked for longer than a part of a lease. If that part is short, there is as much time between in
-- which leases end.
local function quiet_until(lease)
    local engine, kept = engine_id(), redis.call('GET', prefix .. 'swept') or ''
    local at, quiet, before = string.match(kept, '^(%d+) (%d+) (%x*)$')
    local away = at and now - at
    if before ~= engine or away < 0 or away > lease
            or away > lease / 4 and now > quiet + lease then
        quiet = now + lease
    elseif away < lease / 20 then
        return tonumber(quiet)
    end
    local text = string.format('%.0f %.0f %s', now, quiet, engine)
    redis.call('SET', prefix .. 'swept', text, 'PX', 3 * lease)
    return tonumber(quiet)
end

drop_asked(ARGV[3])
if now < quiet_until(tonumber(ARGV[3])) then return nil end
local due = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
    redis.call('ZREM', leases, member)
    local id, tab = string.match(member, '^([^/]*)/(.*)$')
    local who = prefix .. 'who:' .. (id or member)
    if tab then
        local _, rooms = unpacked(redis.call('HGET', who, '/' .. tab))
        redis.call('HDEL', who, '/' .. tab)
        for room in string.gmatch(rooms, '[^,]+') do
            leave(id, room)
        end
        linger(id, ARGV[3])
    else
        disown(member)
        redis.call('DEL', who)
    end
end
return #due
""")

ROOM_NAMES = _script("""
-- milliseconds, then names of rooms, each with what it folds to -> for each the name of the room
-- that folds to the same and that somebody is in or asked for before
drop_asked(ARGV[2])
local found = {}
for i = 3, #ARGV, 2 do
    local name, fold = ARGV[i], ARGV[i + 1]
    if redis.call('HSETNX', names, fold, name) == 1 or redis.call('ZSCORE', asked, fold) then
        redis.call('ZADD', asked, now, fold)
    end
    found[#found + 1] = redis.call('HGET', names, fold)
end
return found
""")

COUNTS = _script("""
-- rooms -> how many are in each
local counts = {}
for i = 2, #ARGV do counts[i - 1] = redis.call('ZCARD', prefix .. 'room:' .. ARGV[i]) end
return counts
""")

PEOPLE = _script("""
-- room -> its version, then id and nick of the first PRESENCE_LIMIT + 1 in it
local people = {tonumber(redis.call('HGET', prefix .. 'marks', ARGV[2])) or 0}
for _, id in ipairs(redis.call('ZRANGE', prefix .. 'room:' .. ARGV[2], 0, PRESENCE_LIMIT)) do
    local nick = redis.call('HGET', prefix .. 'who:' .. id, 'nick')
    if nick then
        people[#people + 1] = id
        people[#people + 1] = nick
    end
end
return people
""")

CONSUME = _script("""
-- id or '', then for each bucket: its name, tokens, rate, burst -> the position (from 1) of one in
-- which too few tokens are left, else 0 and they are taken; seconds until they are there, as text;
-- the nick of id. What is kept of a bucket, while it is not full, is when it will be, in
-- milliseconds.
local nick = ARGV[2] ~= '' and redis.call('HGET', prefix .. 'who:' .. ARGV[2], 'nick')
local full_at = {}
for i = 3, #ARGV, 4 do
    local tokens, burst = 1000 * ARGV[i + 1] / ARGV[i + 2], 1000 * ARGV[i + 3] / ARGV[i + 2]
    local before = tonumber(redis.call('GET', prefix .. 'spent:' .. ARGV[i])) or now
    -- The clock of an engine that took another's place may be behind.
    full_at[i] = math.max(now, math.min(now + burst, before)) + tokens
    local wait = full_at[i] - now - burst
    if wait > 1 then return {(i + 1) / 4, tostring(wait / 1000), nick} end
end
for i, at in pairs(full_at) do
    local text = string.format('%.3f', at)
    redis.call('SET', prefix .. 'spent:' .. ARGV[i], text, 'PX', math.ceil(at - now))
end
return {0, '0', nick}
""")

HEARTBEAT = _script("""
-- fingerprint, milliseconds, the highest number of an event that was read -> the fingerprint of the
-- workers that run, the number of the last event
local secret = redis.call('GET', prefix .. 'secret') or ARGV[2]
if secret == ARGV[2] then redis.call('SET', prefix .. 'secret', secret, 'PX', ARGV[3]) end
local last = tonumber(redis.call('GET', prefix .. 'told')) or 0
if last < tonumber(ARGV[4]) then
    -- The engine was put back to an older state: no number is used twice.
    last = tonumber(ARGV[4])
    redis.call('SET', prefix .. 'told', ARGV[4])
end
return {secret, last}
""")

LOAD_CURSOR = _script("""
-- id, tab -> the cursor, or nil
return redis.call('GET', prefix .. 'at:' .. ARGV[2] .. '/' .. ARGV[3])
""")

SAVE_CURSOR = _script("""
-- id, tab, cursor, milliseconds
redis.call('SET', prefix .. 'at:' .. ARGV[2] .. '/' .. ARGV[3], ARGV[4], 'PX', ARGV[5])
""")
