"""What Redis does in one piece, so that no two processes ever disagree about a job.

All keys of a job begin with ``PREFIX:job:ID``: the record itself (a hash), ``:payload`` (piece
number to packed items), ``:results`` (item index to JSON) and ``:lease`` (the runner's name).
Redis Cluster is not supported: the keys of a stack belong to one server.

A Redis that is full (``maxmemory``, ``noeviction``) refuses commands and scripts that may take
memory. What ends a job or keeps its lease takes next to none or frees it, so those scripts are
flagged as allowed then (Redis 7), and free memory before they write; what keeps results looks at
the memory itself.
"""

from typing import Final

_WHEN_FULL: Final = "#!lua flags=allow-oom"
"""Has Redis run a script though it is full; must be its first line."""

_FUNCTIONS: Final = """
local function tell(id, state, done)
  redis.call('PUBLISH', KEYS[1], id .. ' ' .. state .. ' ' .. done)
end
local function close(id, state, done, message, ttl)
  local job = ARGV[1] .. id
  redis.call('DEL', job .. ':payload', job .. ':lease')
  if state ~= 'finished' then redis.call('DEL', job .. ':results') end
  redis.call('ZREM', KEYS[2], id)
  redis.call('HSET', job, 'state', state, 'done', done, 'message', message)
  redis.call('PEXPIRE', job, ttl)
  local first = redis.call('HGET', job, 'first')
  if first ~= '' then redis.call('PEXPIRE', first, ttl) end
  redis.call('PEXPIRE', job .. ':results', ttl)
  tell(id, state, done)
end
local function full(share)
  local memory = redis.call('INFO', 'memory')
  local most = tonumber(string.match(memory, 'maxmemory:(%d+)') or 0)
  local used = tonumber(string.match(memory, 'used_memory:(%d+)') or 0)
  return most > 0 and used > most * share
end
"""
# Every script has KEYS: the channel, the set of unfinished jobs. ARGV[1] is what the keys of a job
# begin with, ARGV[2] the id of the job or the name of the runner.

CREATE: Final = """
-- ARGV: prefix, id, first (key or ''), most open, most of one owner, owner, now, TTL while open,
-- field, value, ...
local job = ARGV[1] .. ARGV[2]
if ARGV[3] ~= '' then
  local first = redis.call('GET', ARGV[3])
  if first and redis.call('EXISTS', ARGV[1] .. first) == 1 then
    redis.call('DEL', job .. ':payload')
    return first
  end
end
local open = redis.call('ZCARD', KEYS[2])
local refused = open >= tonumber(ARGV[4]) and 'all'
if not refused and open >= tonumber(ARGV[5]) then
  -- Counted and not kept as a number, which would drift when a job is forgotten.
  local own = 0
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if redis.call('HGET', ARGV[1] .. id, 'owner') == ARGV[6] then own = own + 1 end
  end
  refused = own >= tonumber(ARGV[5]) and 'own'
end
if refused then
  redis.call('DEL', job .. ':payload')
  return refused
end
redis.call('HSET', job, unpack(ARGV, 9))
redis.call('HSET', job, 'first', ARGV[3])
redis.call('PEXPIRE', job, ARGV[8])
redis.call('PEXPIRE', job .. ':payload', ARGV[8])
if ARGV[3] ~= '' then redis.call('SET', ARGV[3], ARGV[2], 'PX', ARGV[8]) end
redis.call('ZADD', KEYS[2], ARGV[7], ARGV[2])
return ARGV[2]
"""

END: Final = (
    _WHEN_FULL
    + _FUNCTIONS
    + """
-- ARGV: prefix, id, state, message, TTL
local job = ARGV[1] .. ARGV[2]
local state = redis.call('HGET', job, 'state')
if state == 'queued' or state == 'running' then
  close(ARGV[2], ARGV[3], redis.call('HLEN', job .. ':results'), ARGV[4], ARGV[5])
end
"""
)

CLAIM: Final = (
    _WHEN_FULL
    + """
-- ARGV: prefix, runner, lease, most
local claimed = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local job = ARGV[1] .. id
  if redis.call('EXISTS', job) == 0 then
    redis.call('ZREM', KEYS[2], id)
  elseif redis.call('SET', job .. ':lease', ARGV[2], 'NX', 'PX', ARGV[3]) then
    claimed[#claimed + 1] = id
    if #claimed >= tonumber(ARGV[4]) then break end
  end
end
return claimed
"""
)

RENEW: Final = (
    _WHEN_FULL
    + """
-- ARGV: prefix, runner, lease, TTL while open, id, ...
local lost = {}
for i = 5, #ARGV do
  local job = ARGV[1] .. ARGV[i]
  local holder = redis.call('GET', job .. ':lease')
  local open = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if open and (not holder or holder == ARGV[2]) then
    redis.call('SET', job .. ':lease', ARGV[2], 'PX', ARGV[3])
    if redis.call('PTTL', job) < ARGV[4] / 2 then
      local first = redis.call('HGET', job, 'first')
      for _, key in ipairs({job, job .. ':payload', job .. ':results', first}) do
        if key ~= '' then redis.call('PEXPIRE', key, ARGV[4]) end
      end
    end
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
"""
)

RELEASE: Final = """
-- ARGV: prefix, runner, id
local lease = ARGV[1] .. ARGV[3] .. ':lease'
if redis.call('GET', lease) == ARGV[2] then redis.call('DEL', lease) end
"""

SAVE: Final = (
    _WHEN_FULL
    + _FUNCTIONS
    + """
-- ARGV: prefix, runner, id, lease, TTL, TTL while open, share of memory, most bytes of results,
-- message if they are more, index, result, ...
local job = ARGV[1] .. ARGV[3]
local state = redis.call('HGET', job, 'state')
if not state then return false end
if state ~= 'queued' and state ~= 'running' then
  return {state, tonumber(redis.call('HGET', job, 'done'))}
end
local holder = redis.call('GET', job .. ':lease')
if holder and holder ~= ARGV[2] then return false end
if not holder then redis.call('SET', job .. ':lease', ARGV[2], 'PX', ARGV[4]) end
local results = job .. ':results'
if #ARGV > 9 and full(tonumber(ARGV[7])) then
  return {'full', redis.call('HLEN', results)}
end
local bytes = 0
for i = 10, #ARGV, 2 do
  if redis.call('HSETNX', results, ARGV[i], ARGV[i + 1]) == 1 then
    bytes = bytes + string.len(ARGV[i + 1])
  end
end
local done = redis.call('HLEN', results)
if bytes > 0 and redis.call('HINCRBY', job, 'bytes', bytes) > tonumber(ARGV[8]) then
  close(ARGV[3], 'failed', done, ARGV[9], ARGV[5])
  return {'failed', done}
end
if done >= tonumber(redis.call('HGET', job, 'total')) then
  close(ARGV[3], 'finished', done, '', ARGV[5])
  return {'finished', done}
end
if redis.call('PTTL', results) == -1 then redis.call('PEXPIRE', results, ARGV[6]) end
if state == 'queued' then redis.call('HSET', job, 'state', 'running') end
tell(ARGV[3], 'running', done)
return {'running', done}
"""
)
