-- WITH credit_clock
-- Grant credits for one call, or say how long to wait (G4, G5).
-- KEYS: credits (hash), fences (hash), grant (string, expires)
-- ARGV: subject, epoch, deadline ms, cost, priority (0 first), limit, window ms, slots of a window, what the server's
--   time should be at least (ms), how much later it may be
-- Returns {1, used} granted; {0, wait ms} wait; {-1, 0} the lease is not ours; {-2, until - now} it ends too soon;
--   {-3, now} the server's clock is later than it can be: it may have been set forward, and the window seem empty (G5).
-- Atomic because all replicas draw on the same credits. The grant key makes a repeated command charge once.
local credits, now = KEYS[1], redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local cost, priority, limit = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local window, slots = tonumber(ARGV[7]), tonumber(ARGV[8])
-- A list goes before single calls of its priority: these would take each credit that comes free, and it never saw ten.
local rank = priority * 2 + (cost > 1 and 0 or 1)
if redis.call('EXISTS', KEYS[3]) == 1 then return {1, 0} end
if now - tonumber(ARGV[9]) > tonumber(ARGV[10]) then return {-3, now} end
local fence = redis.call('HGET', KEYS[2], ARGV[1])
local epoch, held = string.match(fence or '', '^(%d+):(%d+)$')
if epoch ~= ARGV[2] or tonumber(held) <= now then return {-1, 0} end
if tonumber(held) < now + tonumber(ARGV[3]) then return {-2, tonumber(held) - now} end
local behind
now, behind = credit_time(credits, now)
note_credit_time(credits, now, behind)
local slot, width = 0, window / slots
slot = math.floor(now / width)
local used, hold, foreign, buckets = 0, 0, 0, {}
local all = redis.call('HGETALL', credits)
for at = 1, #all, 2 do
  local name, value = all[at], tonumber(all[at + 1])
  local bucket = tonumber(string.match(name, '^b(%d+)$'))
  if bucket then
    if bucket < slot - slots then
      redis.call('HDEL', credits, name)
    else
      used = used + value
      buckets[#buckets + 1] = {bucket, value}
    end
  elseif name == 'hold' then hold = value
  elseif name == 'foreign' and (tonumber(redis.call('HGET', credits, 'foreign_until')) or 0) > now then foreign = value
  elseif string.sub(name, 1, 7) == 'waiting' and tonumber(string.sub(name, 8)) < rank and value > now then
    hold = math.max(hold, now + 50)
  end
end
local wait = hold - now
local doubt, probe = tonumber(redis.call('HGET', credits, 'doubt')), tonumber(redis.call('HGET', credits, 'probe'))
doubt = doubt and doubt > now
-- After a loss it is unknown what was spent: one call asks Swoogo, the others wait for its answer.
if doubt and probe and probe > now then wait = math.max(wait, math.min(probe - now, 200)) end
if wait <= 0 and used + foreign + cost > limit then
  table.sort(buckets, function(a, b) return a[1] < b[1] end)
  local excess = used + foreign + cost - limit
  wait = (tonumber(redis.call('HGET', credits, 'foreign_until')) or now + window) - now
  for _, bucket in ipairs(buckets) do
    excess = excess - bucket[2]
    if excess <= 0 then
      wait = math.ceil((bucket[1] + slots + 1) * width) - now
      break
    end
  end
end
if wait > 0 then
  wait = math.max(1, math.ceil(wait))
  -- Until it has asked again, after a nap of this wait and a tenth, a second at most: else lower ranks came in between.
  local mark = 'waiting' .. rank
  local until_asked = now + math.ceil(math.min(wait, 1000) * 11 / 10) + 500
  until_asked = math.max(until_asked, tonumber(redis.call('HGET', credits, mark)) or 0)
  redis.call('HSET', credits, mark, string.format('%.0f', until_asked))
  redis.call('PEXPIRE', credits, math.max(window * 2, hold - now + window))
  return {0, wait}
end
redis.call('HINCRBY', credits, string.format('b%.0f', slot), cost)
if doubt then redis.call('HSET', credits, 'probe', string.format('%.0f', now + tonumber(ARGV[3]) + 1000)) end
redis.call('PEXPIRE', credits, math.max(window * 2, 60000))
redis.call('SET', KEYS[3], string.format('%.0f', slot), 'PX', window * 2)
return {1, used + cost}
