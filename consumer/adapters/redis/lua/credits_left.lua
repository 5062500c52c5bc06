-- WITH credit_clock
-- Credits that could be spent now.
-- KEYS: credits (hash)
-- ARGV: limit, window ms, slots
-- Returns how many.
-- A script only for the server's clock.
local now = redis.call('TIME')
now = credit_time(KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000))
local limit, width, slots = tonumber(ARGV[1]), tonumber(ARGV[2]) / tonumber(ARGV[3]), tonumber(ARGV[3])
local fields = redis.call('HMGET', KEYS[1], 'hold', 'foreign', 'foreign_until', 'doubt')
if (tonumber(fields[1]) or 0) > now or (tonumber(fields[4]) or 0) > now then return 0 end
local used = (tonumber(fields[3]) or 0) > now and tonumber(fields[2]) or 0
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local bucket = tonumber(string.match(all[at], '^b(%d+)$'))
  if bucket and bucket >= math.floor(now / width) - slots then used = used + tonumber(all[at + 1]) end
end
return math.max(limit - used, 0)
