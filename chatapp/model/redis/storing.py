"""Part of the log's scripts: the time, the engine, and how a message is stored."""

from chatapp.model.log import LOBBY

__all__ = ["ENGINE", "FORGET", "NOW", "STORE", "STREAM_LENGTH"]

# Entries that the stream keeps: those who followed and are further behind read the rooms instead.
STREAM_LENGTH = 20_000

# Hosts' clocks differ, and one that is wrong must not delete what all the others have.
NOW = """
-- Seconds by the engine's clock, unless another time is given.
local function seconds(given)
    if given ~= '' then return tonumber(given) end
    local time = redis.call('TIME')
    return time[1] + time[2] / 1000000
end
"""

# Deletes what is older than `max_age` (0: any age) from the front of a room; returns the front that
# is left. A stamp that is damaged is as old as can be.
FORGET = """
local function stamp(entry)
    local pairs = entry[2]
    for i = 1, #pairs, 2 do
        if pairs[i] == 'at' then return tonumber(pairs[i + 1]) or 0 end
    end
    return 0
end

local function forget(room, now, max_age)
    while true do
        local front = redis.call('XRANGE', room, '-', '+', 'COUNT', 1)[1]
        if not front or tonumber(max_age) == 0 then return front end
        if stamp(front) >= now - tonumber(max_age) then return front end
        redis.call('XDEL', room, front[1])
    end
end
"""

# An engine's history has an id, and another after a promotion, which names the one before: a
# replica may lack the last of it. A restart names none, but from a snapshot. INFO takes 4 to 8 us.
ENGINE = """
-- The id, empty where it is not told; whether it was promoted since the log was written.
local function engine(heads)
    local info = redis.pcall('INFO', 'replication')
    if type(info) ~= 'string' then return '', false end
    local id = string.match(info, 'master_replid:(%x+)') or ''
    local follows = string.find(info, 'master_replid2:0*[1-9a-f]')
    local known = redis.call('HGET', heads, 'engine ') or ''
    return id, known ~= '' and known ~= id and follows ~= nil
end
"""

# `fields` of a message are names and values, nick and text first: an older version looks for the
# time behind these.
STORE = f"""{FORGET}
local function timestamp(now)
    return string.format('%.3f', now)
end

-- Store a message in a room that is there, of which `head` is the newest seq; returns its own, and
-- the id of its entry in the stream, which has `others` besides.
local function store(heads, stream, name, head, fields, now, history, max_age, id, others)
    local room, seq = 'chat:room:' .. name, head + 1
    table.insert(fields, 5, 'at')
    table.insert(fields, 6, timestamp(now))
    if name ~= '{LOBBY}' then redis.call('ZADD', 'chat:spoken', timestamp(now), name) end
    redis.call('XADD', room, 'MAXLEN', '=', history, seq .. '-0', unpack(fields))
    redis.call('HSET', heads, name, seq, 'engine ', id)
    if tonumber(max_age) > 0 then
        forget(room, now, max_age)
        redis.call('EXPIRE', room, math.ceil(tonumber(max_age)))
    end
    for _, each in ipairs(others or {{}}) do table.insert(fields, each) end
    return seq, redis.call('XADD', stream, 'MAXLEN', '~', {STREAM_LENGTH}, '*',
        'room', name, 'seq', seq, unpack(fields))
end
"""
