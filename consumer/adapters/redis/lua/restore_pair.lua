-- Enter a pair of the changelog in the register, or take out one that was voided. Of two pairs for one partner, the one of
-- the higher round counts, then the first that was mapped (M2, M8, G6).
-- KEYS: records (hash event -> row), event_of (hash Swoogo event -> event), unlogged (set of events of the
--   organization), holders (hash: organization -> epoch), rebuilder (hash: owner whose pairs are taken,
--   org/ID for organizations that were fenced), voided (hash: event/ID, swoogo/ID -> highest voided round)
-- ARGV: owner, event id, Swoogo event id, organization, row
-- Returns 1 when it was news, 0 when it was known as it is or another one counts, -1 when pairs of another owner are
-- taken.
-- Atomic because an earlier rebuild may wake up and must not put back what the next one, or a worker, wrote since.
-- A repeat finds the pair and changes nothing.
if redis.call('HGET', KEYS[5], 'owner') ~= ARGV[1] then return -1 end
local function round(row) return tonumber(row.round) or 0 end
local function counts(known, read)
  if round(known) ~= round(read) then return round(known) > round(read) end
  return tonumber(known.mapped_at) <= tonumber(read.mapped_at)
end
local pair, stored = cjson.decode(ARGV[5]), redis.call('HGET', KEYS[1], ARGV[2])
local held = stored and cjson.decode(stored)
-- Newer than the changelog, and about to be there.
if held and redis.call('SISMEMBER', KEYS[3], ARGV[2]) == 1 then return 0 end
local news = 0
for _, name in ipairs({'event/' .. ARGV[2], 'swoogo/' .. ARGV[3]}) do
  local known = tonumber(redis.call('HGET', KEYS[6], name))
  if tonumber(pair.voided_at) then
    if not known or known < round(pair) then
      redis.call('HSET', KEYS[6], name, round(pair))
      news = 1
    end
  elseif known and known >= round(pair) then
    return 0
  end
end
if tonumber(pair.voided_at) then
  if held and held.swoogo_event_id == pair.swoogo_event_id and round(held) <= round(pair) then
    redis.call('HDEL', KEYS[1], ARGV[2])
    if redis.call('HGET', KEYS[2], ARGV[3]) == ARGV[2] then redis.call('HDEL', KEYS[2], ARGV[3]) end
    news = 1
  end
  return news
end
if held and round(held) > round(pair) then return 0 end
if held and held.swoogo_event_id ~= pair.swoogo_event_id and counts(held, pair) then return 0 end
local holder = redis.call('HGET', KEYS[2], ARGV[3])
if holder and holder ~= ARGV[2] then
  local other = redis.call('HGET', KEYS[1], holder)
  other = other and cjson.decode(other)
  if other and counts(other, pair) then return 0 end
  -- It was voided; that is read later, from another partition.
  if other and round(other) < round(pair) then redis.call('HDEL', KEYS[1], holder) end
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
