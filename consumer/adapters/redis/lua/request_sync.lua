-- Ask for a manual sync of an event now, unless this request or a newer one was seen.
-- KEYS: state (hash)
-- ARGV: stamp, request (JSON)
-- Returns {1 when new, due ms, now ms}.
-- Atomic because a claim must see either no request or all of it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HGET', KEYS[1], 'request_stamp')
local held = tonumber(redis.call('HGET', KEYS[1], 'until')) or 0
if known and ARGV[1] <= known then
  return {0, tonumber(redis.call('HGET', KEYS[1], 'due')) or -1, now}
end
redis.call('HSET', KEYS[1], 'request_stamp', ARGV[1], 'request', ARGV[2], 'due', string.format('%.0f', now))
return {1, math.max(now, held), now}
