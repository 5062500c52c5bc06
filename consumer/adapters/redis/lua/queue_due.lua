-- Keep due subjects in the queue of their credential, where they hide nothing of other credentials.
-- KEYS: queues (sorted set: credential -> when it was last served, ms), then the queue of each credential (sorted set:
--   subject -> due ms)
-- ARGV: for each queue: credential, how many subjects, then subject, due ms for each of them
-- Returns 1.
-- Atomic because a queue without its credential in the first set would never be looked at. Repeating it changes nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = 1
for queue = 2, #KEYS do
  redis.call('ZADD', KEYS[1], 'NX', now, ARGV[at])
  local last = at + 1 + 2 * tonumber(ARGV[at + 1])
  for pair = at + 2, last, 2 do redis.call('ZADD', KEYS[queue], ARGV[pair + 1], ARGV[pair]) end
  at = last + 1
end
return 1
