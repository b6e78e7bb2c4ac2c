"""Part of the log's scripts: which rooms there are, as chatapp.model.rooms has it.

A log that an older version began has rooms that are not in `spoken`: they are the longest silent.

A room of which there is a record gives way to none, unless a guest made it: what a process knows of
that is not asked, for another may have made it just now. The record of a guest's ends with that
(chatapp.community.rooms).
"""

from chatapp.model.log import LOBBY
from chatapp.model.rooms import AT_ONCE, SILENT_SECONDS

__all__ = ["PASSING", "RECORD", "ROOMS"]

RECORD = "chat:record:room:"
"""Before a room's name: where its record is, if there is one (chatapp.community)."""

PASSING = '"passing":true}'
"""The end of the record of a room that gives way. In a text a quote is escaped."""

# Functions and keys that scripts have in front.
ROOMS = f"""
local starts, spoken, gone = 'chat:starts', 'chat:spoken', 'chat:gone'
local names, folds = 'chat:names', 'chat:folds'

local function slot(name)
    return string.sub(redis.sha1hex(name), 1, 4)
end

-- The newest seq of the room, whether it is there, and the seq after which it began or would begin.
local function head_of(heads, name)
    local head = tonumber(redis.call('HGET', heads, name))
    if head then return head, true, tonumber(redis.call('HGET', starts, name)) or 0 end
    local start = tonumber(redis.call('HGET', gone, slot(name))) or 0
    return start, false, start
end

-- The name of the room that `name` means, which folds to `fold`: its own if there is none.
local function meant(heads, name, fold)
    if redis.call('HEXISTS', heads, name) == 1 then return name end
    if fold == '{LOBBY}' then return fold end
    local other = redis.call('HGET', folds, fold)
    if other and redis.call('HEXISTS', heads, other) == 1 then return other end
    return name
end

local function is_kept(name)
    local last = redis.call('GETRANGE', '{RECORD}' .. name, {-len(PASSING)}, -1)
    return last ~= '' and last ~= '{PASSING}'
end

local function to_give_way(now)
    local silent
    local from = 0
    while true do
        local rooms = redis.call('ZRANGE', spoken, from, from + 99, 'WITHSCORES')
        if #rooms == 0 then return silent end
        for i = 1, #rooms, 2 do
            local name, at = rooms[i], rooms[i + 1]
            if not is_kept(name) then
                if redis.call('EXISTS', 'chat:directory:room:' .. name) == 0 then return name end
                if not silent and now - at >= {SILENT_SECONDS} then silent = name end
            end
        end
        from = from + 100
    end
end

local function count_rooms(heads)
    return redis.call('HLEN', heads) - 4 - redis.call('HEXISTS', heads, '{LOBBY}')
end

-- Have rooms give way to one; false if all are in use.
local function make_room(heads, max_rooms, now)
    for _ = 1, {AT_ONCE} do
        local count = count_rooms(heads)
        if count < max_rooms then return true end
        if redis.call('ZCARD', spoken) < count then
            for _, name in ipairs(redis.call('HKEYS', heads)) do
                if name ~= '{LOBBY}' and string.sub(name, -1) ~= ' ' then
                    redis.call('ZADD', spoken, 'NX', 0, name)
                end
            end
        end
        local name = to_give_way(now)
        if not name then return false end
        local head = tonumber(redis.call('HGET', heads, name)) or 0
        local kept = tonumber(redis.call('HGET', gone, slot(name))) or 0
        redis.call('HSET', gone, slot(name), math.max(head, kept))
        redis.call('HDEL', heads, name)
        redis.call('HDEL', starts, name)
        redis.call('ZREM', spoken, name)
        local fold = redis.call('HGET', names, name)
        if fold and redis.call('HGET', folds, fold) == name then redis.call('HDEL', folds, fold) end
        redis.call('HDEL', names, name)
        redis.call('UNLINK', 'chat:room:' .. name)
    end
    return true
end
"""
