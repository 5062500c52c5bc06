-- Take orders out that the worker that holds the lease has carried out.
-- KEYS: state (hash), orders (set)
-- ARGV: epoch, then orders
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because the epoch must be the current one at the moment of writing. Repeating it changes nothing.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
if #ARGV > 1 then redis.call('SREM', KEYS[2], unpack(ARGV, 2)) end
return 1
