-- Take orders out that the worker that holds the lease has carried out.
-- KEYS: state (hash), orders (set)
-- ARGV: epoch, then orders
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because the epoch must be the current one at the moment of writing. Repeating it changes nothing.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
-- One by one: Lua hands over some 8,000 arguments at most.
for at = 2, #ARGV do redis.call('SREM', KEYS[2], ARGV[at]) end
return 1
