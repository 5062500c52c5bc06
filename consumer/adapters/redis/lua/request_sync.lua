-- WITH requests state_clock
-- Ask for a manual sync of an event now, besides those that wait already, unless this one waits or was served.
-- KEYS: state (hash), requests (hash: id -> request that waits), served (hash: id -> stamp)
-- ARGV: id, stamp, request (JSON, with its stamp)
-- Returns {1 when new, due ms, now ms}.
-- Atomic because a claim must see either no request or all of it. A repeat finds it waiting.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local state, waiting, served = KEYS[1], KEYS[2], KEYS[3]
local now = state_time(state)
gather(state, waiting, served)
local fields = redis.call('HMGET', state, 'request_stamp', 'until', 'due', 'survey', 'hold', 'floor')
local newest, held, floor = fields[1] or '', tonumber(fields[2]) or 0, fields[6]
if not floor then
  -- What a former version has seen up to here it has served, or it waits.
  floor = newest
  redis.call('HSET', state, 'floor', floor)
end
if ARGV[2] <= floor or redis.call('HEXISTS', served, ARGV[1]) == 1 or redis.call('HEXISTS', waiting, ARGV[1]) == 1 then
  return {0, earliest(tonumber(fields[3]), tonumber(fields[4]), tonumber(fields[5]) or 0, held), now}
end
redis.call('HSET', waiting, ARGV[1], ARGV[3])
sum_up(state, waiting)
if ARGV[2] > newest then newest = ARGV[2] end
redis.call('HSET', state, 'request_stamp', newest, 'due', string.format('%.0f', now))
return {1, math.max(now, held), now}
