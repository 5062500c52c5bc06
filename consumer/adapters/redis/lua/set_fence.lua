-- Tell a credential's budget who may start calls for a subject, and until when (G4).
-- KEYS: fences (hash subject -> "epoch:until ms")
-- ARGV: subject, epoch, until ms
-- Returns 1, or 0 when a later epoch is already there.
-- Atomic because epochs only grow. It stands beside the credits so that a permit touches one slot.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(string.match(known, '^(%d+):')) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3])
return 1
