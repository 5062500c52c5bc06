-- Ask for a manual sync of an event now, unless this request or a newer one was seen.
-- KEYS: state (hash)
-- ARGV: stamp, request (JSON)
-- Returns {1 when new, due ms, now ms}.
-- Atomic because a claim must see either no request or all of it.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call('HMGET', KEYS[1], 'request_stamp', 'until', 'due', 'survey', 'hold')
local known, held = fields[1], tonumber(fields[2]) or 0
if known and ARGV[1] <= known then
  return {0, earliest(tonumber(fields[3]), tonumber(fields[4]), tonumber(fields[5]) or 0, held), now}
end
redis.call('HSET', KEYS[1], 'request_stamp', ARGV[1], 'request', ARGV[2], 'due', string.format('%.0f', now))
return {1, math.max(now, held), now}
