-- WITH credit_clock
-- A call is over: move its credits to now, give them back, or hold everybody until a reset.
-- KEYS: credits (hash), grant (string)
-- ARGV: cost, what ("spent", "returned", "throttled"), remaining or -1, reset ms or 0, limit, window ms, slots
-- Returns 1, or 0 when this grant was settled before.
-- Atomic because the credits must never be missing in between. Counting a call from its answer on makes our window
-- end after Swoogo's for the same call, so ours is never the more generous (G5).
local credits, grant = KEYS[1], KEYS[2]
local now = redis.call('TIME')
local behind
now, behind = credit_time(credits, now[1] * 1000 + math.floor(now[2] / 1000))
local cost, what, remaining, reset = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local limit, window, slots = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local slot = redis.call('GET', grant)
if not slot or slot == 'settled' then return 0 end
redis.call('SET', grant, 'settled', 'PX', window)
note_credit_time(credits, now, behind)
redis.call('HINCRBY', credits, 'b' .. slot, -cost)
if what == 'spent' then
  redis.call('HINCRBY', credits, string.format('b%.0f', math.floor(now / (window / slots))), cost)
elseif what == 'throttled' then
  local hold = math.max(tonumber(redis.call('HGET', credits, 'hold')) or 0, now + reset)
  redis.call('HSET', credits, 'hold', string.format('%.0f', hold))
end
local doubt = redis.call('HGET', credits, 'doubt')
if doubt and what == 'spent' and remaining >= 0 then
  redis.call('HDEL', credits, 'doubt', 'probe')
elseif doubt and what == 'spent' then
  -- Swoogo does not say what is left: the window counts as spent.
  redis.call('HSET', credits, 'probe', doubt)
elseif doubt then
  redis.call('HDEL', credits, 'probe')
end
if remaining >= 0 and what == 'spent' then
  local used, oldest = 0, math.floor(now / (window / slots)) - slots
  for _, name in ipairs(redis.call('HKEYS', credits)) do
    local bucket = tonumber(string.match(name, '^b(%d+)$'))
    if bucket and bucket >= oldest then used = used + tonumber(redis.call('HGET', credits, name)) end
  end
  -- Somebody else spends on this credential: what they took counts until Swoogo's window resets.
  local foreign = limit - used - remaining
  local fields = redis.call('HMGET', credits, 'foreign', 'foreign_until')
  local standing = (tonumber(fields[2]) or 0) > now and tonumber(fields[1]) or 0
  if foreign > standing and reset > 0 then
    redis.call('HSET', credits, 'foreign', foreign, 'foreign_until', string.format('%.0f', now + reset))
  end
end
return 1
