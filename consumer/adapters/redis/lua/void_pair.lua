-- Take a voided pair out of the register: both partners are free, and their next pairs have a higher round (M8).
-- KEYS: records (hash event -> row), event_of (hash Swoogo event -> event), unlogged (set of events of the
--   organization), voided (hash: event/ID, swoogo/ID -> highest round of a pair of it that was voided)
-- ARGV: event id, Swoogo event id, row, its round
-- Returns 1 when it is out, now or before; 0 when the row is another by now.
-- Atomic because a partner must not be free before its round is known. The changelog has the row already.
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row and (tonumber(redis.call('HGET', KEYS[4], 'event/' .. ARGV[1])) or -1) >= tonumber(ARGV[4]) then return 1 end
if row ~= ARGV[3] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('HGET', KEYS[2], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[2], ARGV[2]) end
redis.call('SREM', KEYS[3], ARGV[1])
for _, name in ipairs({'event/' .. ARGV[1], 'swoogo/' .. ARGV[2]}) do
  local known = tonumber(redis.call('HGET', KEYS[4], name)) or 0
  redis.call('HSET', KEYS[4], name, math.max(known, tonumber(ARGV[4])))
end
return 1
