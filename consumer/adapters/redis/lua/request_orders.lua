-- WITH state_clock
-- Ask the next claim of the event to do something to it; with continuous sync, or where it is asked, that is at once.
-- KEYS: state (hash), orders (set)
-- ARGV: "1" to make it due in any case (else "0"), orders
-- Returns {due ms or -1, now ms}.
-- Atomic because the request must not be there without a due time. Repeating it changes nothing.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local now = state_time(KEYS[1])
if #ARGV > 1 then redis.call('SADD', KEYS[2], unpack(ARGV, 2)) end
local fields = redis.call('HMGET', KEYS[1], 'continuous', 'due', 'until', 'survey', 'hold')
local due = tonumber(fields[2])
if (fields[1] == '1' or ARGV[1] == '1') and (not due or due > now) then
  due = now
  redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due))
  redis.call('HSETNX', KEYS[1], 'first', string.format('%.0f', now))
end
return {earliest(due, tonumber(fields[4]), tonumber(fields[5]) or 0, tonumber(fields[3]) or 0), now}
