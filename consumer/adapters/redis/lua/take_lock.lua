-- Take a lock for a while; taking one's own again extends it.
-- KEYS: lock (string)
-- ARGV: owner, ms
-- Returns 1 when it is ours.
-- Atomic, and true for a repeat, so that a lost reply cannot lock us out of our own lock.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  -- No owner takes it for longer; it lasts longer when the server's clock was set back.
  if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
