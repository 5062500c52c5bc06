-- Take a lock for a while; taking one's own again extends it.
-- KEYS: lock (string)
-- ARGV: owner, ms
-- Returns 1 when it is ours.
-- Atomic, and true for a repeat, so that a lost reply cannot lock us out of our own lock.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
