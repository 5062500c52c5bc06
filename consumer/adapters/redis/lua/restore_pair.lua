-- Enter a pair of the changelog in the register; of two pairs for one partner, the first that was mapped counts (M2, G6).
-- KEYS: records (hash event -> row), event_of (hash Swoogo event -> event), unlogged (set of events of the
--   organization), holders (hash: organization -> epoch), rebuilder (hash: owner whose pairs are taken,
--   org/ID for organizations that were fenced)
-- ARGV: owner, event id, Swoogo event id, organization, row
-- Returns 1 when it was entered, 0 when it was known as it is or another one counts, -1 when pairs of another owner are
-- taken.
-- Atomic because an earlier rebuild may wake up and must not put back what the next one, or a worker, wrote since.
-- A repeat finds the pair and changes nothing.
if redis.call('HGET', KEYS[5], 'owner') ~= ARGV[1] then return -1 end
local function mapped_at(row) return tonumber(row.mapped_at) end
local pair, stored = cjson.decode(ARGV[5]), redis.call('HGET', KEYS[1], ARGV[2])
local held = stored and cjson.decode(stored)
if held then
  if redis.call('SISMEMBER', KEYS[3], ARGV[2]) == 1 then return 0 end  -- newer than the changelog, and about to be there
  if held.swoogo_event_id ~= pair.swoogo_event_id and mapped_at(held) <= mapped_at(pair) then return 0 end
end
local holder = redis.call('HGET', KEYS[2], ARGV[3])
if holder and holder ~= ARGV[2] then
  local other = redis.call('HGET', KEYS[1], holder)
  if other and mapped_at(cjson.decode(other)) <= mapped_at(pair) then return 0 end
end
if held then
  local same = true
  for _, rows in ipairs({{held, pair}, {pair, held}}) do
    for name, value in pairs(rows[1]) do
      if name ~= 'epoch' and rows[2][name] ~= value then same = false end  -- the changelog does not carry the epoch
    end
  end
  if same then return 0 end
  if held.swoogo_event_id ~= pair.swoogo_event_id then
    redis.call('HDEL', KEYS[2], string.format('%.0f', held.swoogo_event_id))
  end
end
-- A worker that held the organization when Redis lost this must not write over what comes back (G4). Once is enough:
-- where epochs are above the server's time, more would put the fence above those of the next claims.
if redis.call('HSETNX', KEYS[5], 'org/' .. ARGV[4], 1) == 1 then
  local time = redis.call('TIME')
  local known = tonumber(redis.call('HGET', KEYS[4], ARGV[4])) or 0
  local epoch = math.max(time[1] * 1000 + math.floor(time[2] / 1000), known + 1)
  redis.call('HSET', KEYS[4], ARGV[4], string.format('%.0f', epoch))
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[5])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[2])
return 1
