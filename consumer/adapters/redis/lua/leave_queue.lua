-- Take a subject that was tried out of the queue of its credential, which goes to the end of all queues.
-- KEYS: queues (sorted set: credential -> when it was last served, ms), queue (sorted set: subject -> due ms)
-- ARGV: credential, subject, due ms it was found with
-- Returns 1.
-- Atomic because the credential goes with the last of its queue. A subject that was put there again since stays: its due
-- time is another. Repeating it changes nothing but the order of the queues.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[2])) == tonumber(ARGV[3]) then redis.call('ZREM', KEYS[2], ARGV[2]) end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], 'XX', now, ARGV[1])
end
return 1
