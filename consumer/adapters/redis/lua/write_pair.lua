-- Enter or change a pair, unless its Swoogo event has another partner or somebody was faster (M2, G4).
-- KEYS: records (hash event -> row), event_of (hash Swoogo event -> event), unlogged (set of events),
--   holders (hash: organization -> epoch of its newest lease that was here),
--   voided (hash: event/ID, swoogo/ID -> highest round of a pair of it that was voided)
-- ARGV: event id, Swoogo event id, row it was read as ("" none), row to write, organization, epoch of its lease, round
-- Returns 1 when the row is there (now or before), 0 when it is another than the one read or a pair of its round was
-- voided, -1 when refused, -2 when a newer lease of the organization was here.
-- Atomic because two organizations may ask for the same partner at once. The set says what the changelog lacks; it is
-- entered in the same step, so a crash forgets nothing.
local newest, epoch = tonumber(redis.call('HGET', KEYS[4], ARGV[5])) or 0, tonumber(ARGV[6])
if newest > epoch then return -2 end
local holder = redis.call('HGET', KEYS[2], ARGV[2])
if holder and holder ~= ARGV[1] then return -1 end
local row = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if row == ARGV[4] then return 1 end
if row ~= ARGV[3] then return 0 end
for _, name in ipairs({'event/' .. ARGV[1], 'swoogo/' .. ARGV[2]}) do
  local round = tonumber(redis.call('HGET', KEYS[5], name))
  if round and round >= tonumber(ARGV[7]) then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('HSET', KEYS[4], ARGV[5], string.format('%.0f', epoch))
return 1
