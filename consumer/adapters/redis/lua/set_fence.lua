-- Give a credential's budget who may start calls for a subject, and until when (G4).
-- KEYS: fences (hash subject -> "epoch:until ms", expires)
-- ARGV: subject, epoch, until ms
-- Returns 1, or 0 when a later epoch is already there.
-- Atomic because epochs only grow. It stands beside the credits so that a permit touches one slot.
-- A fence that has ended may go: without one no permit is given, and setting it again would set its end in the past.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(string.match(known, '^(%d+):')) > tonumber(ARGV[2]) then return 0 end
if not known and redis.call('HLEN', KEYS[1]) >= 100 then
  local all = redis.call('HGETALL', KEYS[1])
  for at = 1, #all, 2 do
    if tonumber(string.match(all[at + 1], ':(%d+)$')) < now then redis.call('HDEL', KEYS[1], all[at]) end
  end
end
local left = redis.call('PTTL', KEYS[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(left, tonumber(ARGV[3]) - now + 60000, 60000)))
return 1
