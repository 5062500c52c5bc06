-- WITH state_clock
-- Hold a subject that no worker holds, whether it is due or not; when it is due stays as it is.
-- KEYS: state (hash)
-- ARGV: op id, lease ms (0: give it back, by its op id)
-- Returns {epoch or 0, ms until its holder's lease ends}.
-- Atomic because a worker may claim it at the same moment. A repeat with the same op id gets the same epoch.
local now = state_time(KEYS[1])
local fields = redis.call('HMGET', KEYS[1], 'until', 'op', 'epoch')
local held, epoch = tonumber(fields[1]) or 0, tonumber(fields[3]) or 0
local ours = fields[2] == ARGV[1]
if ARGV[2] == '0' then
  if ours then redis.call('HDEL', KEYS[1], 'until', 'op') end
  return {0, 0}
end
if held > now then return {ours and epoch or 0, held - now} end
epoch = math.max(epoch + 1, now)
redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'op', ARGV[1],
  'until', string.format('%.0f', now + tonumber(ARGV[2])))
return {epoch, tonumber(ARGV[2])}
