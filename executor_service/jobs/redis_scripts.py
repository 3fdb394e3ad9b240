"""What Redis does in one piece, so that no two processes ever disagree about a job.

All keys of a job begin with ``PREFIX:job:ID``: the record itself (a hash), ``:payload`` (piece
number to packed items), ``:results`` (item index to JSON) and ``:lease`` (the runner's name).
Redis Cluster is not supported: the keys of a stack belong to one server.
"""

from typing import Final

_FUNCTIONS: Final = """
local function tell(id, state, done)
  redis.call('PUBLISH', KEYS[1], id .. ' ' .. state .. ' ' .. done)
end
local function close(id, state, done, ttl, open)
  local job = ARGV[1] .. id
  redis.call('HSET', job, 'state', state, 'done', done)
  redis.call('PEXPIRE', job, ttl)
  redis.call('DEL', job .. ':payload', job .. ':lease')
  redis.call('ZREM', KEYS[2], id)
  local first = redis.call('HGET', job, 'first')
  if first ~= '' then redis.call('PEXPIRE', first, ttl) end
  if state == 'finished' then
    redis.call('PEXPIRE', job .. ':results', ttl)
  else
    redis.call('DEL', job .. ':results')
  end
  tell(id, state, done)
end
"""
# Every script has KEYS: the channel, the set of unfinished jobs. ARGV[1] is what the keys of a job
# begin with, ARGV[2] the id of the job or the name of the runner.

CREATE: Final = """
-- ARGV: prefix, id, first (key or ''), most open, now, TTL while open, field, value, ...
local job = ARGV[1] .. ARGV[2]
if ARGV[3] ~= '' then
  local first = redis.call('GET', ARGV[3])
  if first and redis.call('EXISTS', ARGV[1] .. first) == 1 then
    redis.call('DEL', job .. ':payload')
    return first
  end
end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
  redis.call('DEL', job .. ':payload')
  return ''
end
redis.call('HSET', job, unpack(ARGV, 7))
redis.call('HSET', job, 'first', ARGV[3])
redis.call('PEXPIRE', job, ARGV[6])
redis.call('PEXPIRE', job .. ':payload', ARGV[6])
if ARGV[3] ~= '' then redis.call('SET', ARGV[3], ARGV[2], 'PX', ARGV[6]) end
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[2])
return ARGV[2]
"""

END: Final = (
    _FUNCTIONS
    + """
-- ARGV: prefix, id, state, message, TTL
local job = ARGV[1] .. ARGV[2]
local state = redis.call('HGET', job, 'state')
if state == 'queued' or state == 'running' then
  redis.call('HSET', job, 'message', ARGV[4])
  close(ARGV[2], ARGV[3], redis.call('HLEN', job .. ':results'), ARGV[5])
end
"""
)

CLAIM: Final = """
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

RENEW: Final = """
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

RELEASE: Final = """
-- ARGV: prefix, runner, id
local lease = ARGV[1] .. ARGV[3] .. ':lease'
if redis.call('GET', lease) == ARGV[2] then redis.call('DEL', lease) end
"""

SAVE: Final = (
    _FUNCTIONS
    + """
-- ARGV: prefix, runner, id, lease, TTL, TTL while open, index, result, ...
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
for i = 7, #ARGV, 2 do redis.call('HSETNX', results, ARGV[i], ARGV[i + 1]) end
local done = redis.call('HLEN', results)
if done >= tonumber(redis.call('HGET', job, 'total')) then
  close(ARGV[3], 'finished', done, ARGV[5])
  return {'finished', done}
end
if redis.call('PTTL', results) == -1 then redis.call('PEXPIRE', results, ARGV[6]) end
if state == 'queued' then redis.call('HSET', job, 'state', 'running') end
tell(ARGV[3], 'running', done)
return {'running', done}
"""
)
