-- WITH requests state_clock
-- Manual syncs that were served before a loss are not done again, also those that an older copy of Redis has waiting (G6).
-- KEYS: state (hash), requests (hash: id -> request that waits), served (hash: id -> stamp)
-- ARGV: id, stamp for each
-- Returns {how many were not known to be served, due ms or -1, now ms}.
-- Atomic because a request that came in meanwhile must stay due. Repeating it changes nothing.
local state, waiting, served = KEYS[1], KEYS[2], KEYS[3]
local now = state_time(state)
gather(state, waiting, served)
local news, waited = 0, redis.call('HLEN', waiting) > 0
local floor = redis.call('HGET', state, 'floor') or ''
for at = 1, #ARGV, 2 do
  if ARGV[at + 1] > floor and redis.call('HEXISTS', served, ARGV[at]) == 0 then
    news = news + 1
    serve(state, served, ARGV[at], ARGV[at + 1])
  end
  redis.call('HDEL', waiting, ARGV[at])
end
if waited and not sum_up(state, waiting) and redis.call('HGET', state, 'continuous') ~= '1' then
  redis.call('HDEL', state, 'due', 'first')
end
return {news, tonumber(redis.call('HGET', state, 'due')) or -1, now}
