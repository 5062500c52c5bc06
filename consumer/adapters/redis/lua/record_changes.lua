-- WITH state_clock oldest
-- Keep the newer version of each row, mark it dirty, and say when the subject is due.
-- KEYS: state (hash), rows (hash), versions (hash), dirty (hash), overtaken (hash: record key -> stamp of the older one),
--       withdrawn (set: whose profiles are not kept)
-- ARGV: quiet ms, max wait ms, always ("1": due although not continuous), size of withdrawn that the rows were made by,
--       "1": also what is as new as what is there (its mark may be gone), then key, stamp, row for each change
-- Returns {news or -1 (the rows were made by another withdrawn; nothing was written), due ms or -1, 1 when it is archived}.
-- Atomic because "is it newer", "write it" and "when is it due" must not interleave with another batch or a claim.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local function place(stamp)
  return string.match(stamp, '^%d+%.%d+%.(%d+)%.(%d+)$')
end
local function content(row)
  return (string.gsub(row, '"version":%d+', '', 1))
end
local state, rows, versions, dirty, overtaken = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local quiet, max_wait, always, again = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', ARGV[5] == '1'
local now = state_time(state)
if redis.call('SCARD', KEYS[6]) ~= tonumber(ARGV[4]) then return {-1, -1, 0} end
-- A full Redis may have evicted the rows alone: then a version says nothing, and every row is news.
if redis.call('EXISTS', rows) == 0 then redis.call('DEL', versions) end
-- Publication of the oldest change that waits, also where a newer version of its record waits by now.
local waiting = redis.call('HLEN', dirty) > 0
local oldest = waiting and tonumber(redis.call('HGET', state, 'oldest') or nil) or math.huge
-- What an older version with a later offset of the same partition says is what compaction will leave (G3).
local function late(key, stamp, row, known)
  local offset, partition = place(stamp)
  local newest, there = place(known)
  local noted = redis.call('HGET', overtaken, key)
  if not offset or partition ~= there or offset <= newest or (noted and offset <= place(noted)) then return false end
  if content(row) == content(redis.call('HGET', rows, key) or '') then
    redis.call('HDEL', overtaken, key)
  else
    redis.call('HSET', overtaken, key, stamp)
    redis.call('HSET', dirty, key, known)
    oldest = math.min(oldest, published(known))
  end
  return true
end
-- What is news is written 500 at a time: a command each would cost several times as much. Of a key that comes twice the
-- last counts, in `HSET` as in `newest`.
local news, told, overtaking = 0, false, redis.call('EXISTS', overtaken) == 1
local keys, stamps, written, newest = {}, {}, {}, {}
local function write()
  if #keys == 0 then return end
  redis.call('HSET', versions, unpack(stamps))
  redis.call('HSET', rows, unpack(written))
  redis.call('HSET', dirty, unpack(stamps))
  if overtaking then redis.call('HDEL', overtaken, unpack(keys)) end
  keys, stamps, written = {}, {}, {}
end
-- Redis keeps a hash of up to 512 short values as a list, and walks it for each of its fields; one long value, once, makes
-- it a table for good. For few changes the list is cheaper.
local widened = #ARGV > 200 and {versions, dirty} or {}
for _, key in ipairs(widened) do redis.call('HSET', key, '', string.rep('-', 65)) end
for from = 6, #ARGV, 1500 do
  local last, asked = math.min(from + 1499, #ARGV), {}
  for at = from, last, 3 do asked[#asked + 1] = ARGV[at] end
  local held = redis.call('HMGET', versions, unpack(asked))
  for at = from, last, 3 do
    local key, stamp = ARGV[at], ARGV[at + 1]
    local known = newest[key] or held[(at - from) / 3 + 1]
    if not known or stamp > known or (again and stamp == known) then
      newest[key] = stamp
      local many = #keys
      keys[many + 1], stamps[2 * many + 1], stamps[2 * many + 2] = key, key, stamp
      written[2 * many + 1], written[2 * many + 2] = key, ARGV[at + 2]
      news = news + 1
      oldest = math.min(oldest, published(stamp))
    else
      write()  -- what came before it in the batch counts
      if late(key, stamp, ARGV[at + 2], known) then told, overtaking = true, true end
    end
  end
  write()
end
for _, key in ipairs(widened) do redis.call('HDEL', key, '') end
local fields = redis.call('HMGET', state, 'continuous', 'first', 'due', 'hold', 'until', 'request', 'survey',
  'archived')
local due = tonumber(fields[3])
local moments = {}
if oldest < math.huge and (news > 0 or told) then moments = {'oldest', string.format('%.0f', oldest)} end
-- Also when nothing is news: a batch that was recorded but not put in the due index comes again.
if (always or fields[1] == '1') and (waiting or #moments > 0) and (news > 0 or told or not due) then
  local first = tonumber(fields[2]) or now
  local planned = math.max(math.min(now + quiet, first + max_wait), tonumber(fields[4]) or 0)
  -- A manual sync that waits is not put off by changes.
  due = fields[6] and due and math.min(due, planned) or planned
  moments = {'first', string.format('%.0f', first), 'due', string.format('%.0f', due), unpack(moments)}
end
if #moments > 0 then redis.call('HSET', state, unpack(moments)) end
return {news, earliest(due, tonumber(fields[7]), tonumber(fields[4]) or 0, tonumber(fields[5]) or 0),
  fields[8] and 1 or 0}
