-- Replace a field of a hash that is still what it was read as.
-- KEYS: any hash
-- ARGV: field, value, new value
-- Returns 1 when the new value is there.
-- Atomic because a newer row may have come in between. A repeat finds the new value and says so.
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held == ARGV[3] then return 1 end
if held ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
