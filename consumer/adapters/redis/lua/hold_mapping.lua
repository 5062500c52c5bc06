-- From now on no older lease of this organization changes the pair of this event, or what the register of
-- pairs says (G4).
-- KEYS: holders (hash: organization -> epoch of its newest lease that was here)
-- ARGV: organization, epoch of its lease, or "" for one that is newer than every lease there is: the server's time, or
--   more where another server's clock was ahead
-- Returns 1, or 0 when a newer lease was here.
-- Atomic because epochs only grow. Repeating it changes nothing but that one.
local epoch, known = tonumber(ARGV[2]), tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0
if not epoch then
  local time = redis.call('TIME')
  epoch = math.max(time[1] * 1000 + math.floor(time[2] / 1000), known + 1)
end
if known > epoch then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', epoch))
return 1
