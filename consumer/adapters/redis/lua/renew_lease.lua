-- WITH state_clock
-- Hold a claimed subject for another lease time.
-- KEYS: state (hash)
-- ARGV: epoch, lease ms
-- Returns {until ms, or 0 when it was given back or somebody else has it, now ms}.
-- Atomic because the epoch must be the current one at the moment of writing. A renewal that comes after its holder gave
-- the subject back would keep everybody from it for a lease.
local now = state_time(KEYS[1])
local fields = redis.call('HMGET', KEYS[1], 'epoch', 'first', 'op')
if fields[1] ~= ARGV[1] or not fields[3] then return {0, now} end
local held = string.format('%.0f', now + tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'until', held)
if not fields[2] then redis.call('HSET', KEYS[1], 'due', held) end
return {tonumber(held), now}
