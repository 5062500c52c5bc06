-- Write the marker for the owner of the lock and, when the rebuild is done, give the lock back (G6).
-- KEYS: marker (hash), lock, progress (strings), restored, standings, about (hashes)
-- ARGV: owner, server process (of a cluster, all of them), done ("1" or "0"), number of fields of `about`, these fields and values, then those of
--   the marker
-- Returns 1 when they are there, or 0 when the lock is not the owner's or another server process answers.
-- Atomic because a rebuild whose Redis was wiped or exchanged meanwhile must not say that everything is there. A repeat
-- finds its own mark and says so.
local done = ARGV[3] == '1'
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return done and redis.call('HGET', KEYS[1], 'owner') == ARGV[1] and 1 or 0
end
if not string.find(ARGV[2], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 1, true) then return 0 end
local marker = 5 + tonumber(ARGV[4]) * 2
for at = 5, marker - 1, 2 do redis.call('HSET', KEYS[6], ARGV[at], ARGV[at + 1]) end
for at = marker, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
if done then
  redis.call('HDEL', KEYS[1], 'lost')
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
end
return 1
