-- Keep a freeze or an approval of an event.
-- KEYS: state (hash), controls (hash)
-- ARGV: name, revision, row, the revision that is there ("" for any smaller one), epoch of who has the event or ""
-- Returns 1, or 0 when another revision is there or somebody else has the event.
-- Atomic because an order given meanwhile must not be lost. Repeating it finds its own row.
if ARGV[5] ~= '' and redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[5] then return 0 end
local held = redis.call('HGET', KEYS[2], ARGV[1])
if held == ARGV[3] then return 1 end
local revision = held and cjson.decode(held).revision or 0
if ARGV[4] ~= '' and revision ~= tonumber(ARGV[4]) then return 0 end
if revision >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
