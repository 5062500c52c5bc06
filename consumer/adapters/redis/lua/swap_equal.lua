-- Replace a value that is still the one given.
-- KEYS: any string
-- ARGV: value, new value
-- Returns 1 when the new value is there.
-- Atomic because somebody else may have replaced or deleted it in between. A repeat finds the new value and says so.
local held = redis.call('GET', KEYS[1])
if held == ARGV[2] then return 1 end
if held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
