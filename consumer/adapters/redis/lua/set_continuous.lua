-- Switch whether changes make the event due by themselves; what waits already becomes due now.
-- KEYS: state (hash), dirty (hash)
-- ARGV: "1" or "0"
-- Returns {due ms or -1, now ms}.
-- Atomic because a change recorded meanwhile must not be left without a due time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'continuous', ARGV[1])
local fields = redis.call('HMGET', KEYS[1], 'due', 'until', 'request')
local due = tonumber(fields[1])
if ARGV[1] == '0' then
  -- A manual sync that was asked for goes on all the same (C5).
  if not fields[3] then
    redis.call('HDEL', KEYS[1], 'due', 'first', 'hold', 'attempt')
    due = nil
  end
elseif not due and redis.call('HLEN', KEYS[2]) > 0 then
  due = now
  redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due), 'first', string.format('%.0f', now))
end
if not due then return {-1, now} end
return {math.max(due, tonumber(fields[2]) or 0), now}
