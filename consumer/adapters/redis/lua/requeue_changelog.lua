-- Put some fields of a hash into its outbox, for the worker that holds the lease (G4, G6).
-- KEYS: state (hash), outbox (set) that gets the names of the fields
-- ARGV: epoch, then names
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because the epoch must be the current one at the moment of writing. Repeating it changes nothing.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
if #ARGV > 1 then redis.call('SADD', KEYS[2], unpack(ARGV, 2)) end
return 1
