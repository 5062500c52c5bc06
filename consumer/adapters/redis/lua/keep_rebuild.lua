-- Renew the lock of a rebuild and show how far it is, for its owner alone (G6).
-- KEYS: lock (string), progress (string)
-- ARGV: owner, ms, progress
-- Returns 1, or 0 when the lock is not the owner's.
-- Atomic because a lock that ran out may be another owner's by now. Repeating it changes nothing.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2])
return 1
