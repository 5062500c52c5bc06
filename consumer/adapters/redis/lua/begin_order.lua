-- Keep an order that is not there yet; the oldest go beyond a bound. Ids sort as orders were given.
-- KEYS: audit (hash)
-- ARGV: id, row, how many are kept
-- Returns the row that is there already, else "".
-- Atomic because the second of two clicks must find the order of the first. Repeating it returns its own row.
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then return held end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) then
  local oldest
  for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
    if id ~= ARGV[1] and (not oldest or id < oldest) then oldest = id end
  end
  redis.call('HDEL', KEYS[1], oldest)
end
return ''
