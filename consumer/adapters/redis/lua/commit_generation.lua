-- Write fields of the marker for whoever holds the lock; when the rebuild is done, give the lock back (G6).
-- KEYS: marker (hash), lock (string), progress (string)
-- ARGV: owner, done ("1" or "0"), then field, value pairs
-- Returns 1 when they are there, 0 when the lock is somebody else's.
-- Atomic because a rebuild whose Redis was wiped meanwhile must not say that everything is there. A repeat finds its own
-- fields and says so.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return ARGV[2] == '1' and redis.call('HGET', KEYS[1], 'owner') == ARGV[1] and 1 or 0
end
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
if ARGV[2] == '1' then
  redis.call('HDEL', KEYS[1], 'lost')
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
  redis.call('DEL', KEYS[2], KEYS[3])
end
return 1
