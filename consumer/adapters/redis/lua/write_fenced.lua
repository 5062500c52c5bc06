-- Write fields of a hash only for the worker that holds the lease (G4).
-- KEYS: state (hash), target (hash)
-- ARGV: epoch, then field, value pairs; an empty value deletes
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because the epoch must be the current one at the moment of writing. Repeating it changes nothing.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
for at = 2, #ARGV, 2 do
  if ARGV[at + 1] == '' then
    redis.call('HDEL', KEYS[2], ARGV[at])
  else
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
end
return 1
