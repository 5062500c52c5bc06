-- WITH state_clock
-- Have a request of an organization dealt with once more, as it was recorded (M8).
-- KEYS: state (hash), versions (hash), dirty (hash)
-- ARGV: record key
-- Returns {due ms, or -1 when nothing was ever recorded under the key, now ms}.
-- Atomic because the mark must not be there without a due time. Repeating it changes nothing.
local now = state_time(KEYS[1])
local stamp = redis.call('HGET', KEYS[2], ARGV[1])
if not stamp then return {-1, now} end
redis.call('HSET', KEYS[3], ARGV[1], stamp)
local fields = redis.call('HMGET', KEYS[1], 'due', 'until')
local due = tonumber(fields[1])
if not due then
  due = now
  redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due))
end
return {math.max(due, tonumber(fields[2]) or 0), now}
