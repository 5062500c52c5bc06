-- Replace a value that is still the one given, for so long.
-- KEYS: any string
-- ARGV: value or "" for none, new value, ms
-- Returns 1 when the new value is there.
-- Atomic because somebody else may have replaced it in between. A repeat finds the new value and says so.
local held = redis.call('GET', KEYS[1]) or ''
if held == ARGV[2] then return 1 end
if held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
