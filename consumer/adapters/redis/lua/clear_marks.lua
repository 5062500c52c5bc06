-- Clear some marks that did not move, before a claimed subject is given back with the last of them (G1).
-- KEYS: state (hash), dirty (hash)
-- ARGV: epoch, then key, stamp of each mark dealt with
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because a change recorded while the work went on must stay dirty. Repeating it changes nothing.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
for at = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[at]) == ARGV[at + 1] then redis.call('HDEL', KEYS[2], ARGV[at]) end
end
return 1
