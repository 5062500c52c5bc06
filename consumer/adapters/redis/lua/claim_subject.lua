-- Take a due subject for the lease time; its epoch grows by one.
-- KEYS: state (hash)
-- ARGV: op id of the claim, lease ms
-- Returns {epoch or 0, next due ms or -1, now ms, attempt, request JSON or ""}.
-- Atomic because two workers may see the same subject due. A repeat with the same op id gets the same answer.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call('HMGET', KEYS[1], 'due', 'until', 'op', 'epoch', 'attempt', 'request')
local due, held = tonumber(fields[1]), tonumber(fields[2]) or 0
local attempt, request = tonumber(fields[5]) or 0, fields[6] or ''
if held > now then
  if fields[3] == ARGV[1] then return {tonumber(fields[4]), held, now, attempt, request} end
  return {0, held, now, attempt, ''}
end
if not due then return {0, -1, now, attempt, ''} end
if due > now then return {0, due, now, attempt, ''} end
local epoch = (tonumber(fields[4]) or 0) + 1
held = now + tonumber(ARGV[2])
-- Due again when the lease runs out: a worker that dies leaves nothing behind.
redis.call('HSET', KEYS[1], 'epoch', epoch, 'op', ARGV[1],
  'until', string.format('%.0f', held), 'due', string.format('%.0f', held))
redis.call('HDEL', KEYS[1], 'first')
return {epoch, held, now, attempt, request}
