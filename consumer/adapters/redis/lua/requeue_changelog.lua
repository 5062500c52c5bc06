-- Put every field of a hash into its outbox, for the worker that holds the lease (G4, G6).
-- KEYS: state (hash), target (hash), outbox (set) that gets the names of the fields
-- ARGV: epoch
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because the epoch must be the current one at the moment of writing. Repeating it changes nothing.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
for _, name in ipairs(redis.call('HKEYS', KEYS[2])) do redis.call('SADD', KEYS[3], name) end
return 1
