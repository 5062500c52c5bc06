-- WITH state_clock
-- Requests of an organization that were dealt with before are not dealt with again (G6).
-- KEYS: state (hash), dirty (hash)
-- ARGV: key, stamp for each
-- Returns {due ms or -1, now ms}.
-- Atomic because a request that came in meanwhile must stay due. Repeating it changes nothing.
local now = state_time(KEYS[1])
for at = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[at]) == ARGV[at + 1] then redis.call('HDEL', KEYS[2], ARGV[at]) end
end
if redis.call('HLEN', KEYS[2]) == 0 then redis.call('HDEL', KEYS[1], 'due', 'first') end
return {tonumber(redis.call('HGET', KEYS[1], 'due')) or -1, now}
