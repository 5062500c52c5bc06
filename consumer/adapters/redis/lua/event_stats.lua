-- Count what stands of one event: changes that wait, open creates, issues, what the last plan left out. Only reads.
-- KEYS: state (hash), dirty (hash), ledger (hash), unlogged (set), issues (hash), run (string), survey (hash)
-- Returns {continuous 1 or 0, failures in a row, changes waiting, oldest publication of them ms or -1, open creates,
--          unlogged entries, parked, ms of the last survey or -1, JSON of issue code -> count,
--          JSON of "kind:reason" -> count}.
-- Atomic because nothing of the event changes while it is counted; the answer stays small however large the event is.
local state = redis.call('HMGET', KEYS[1], 'continuous', 'attempt')
local oldest, waiting = -1, 0
for _, stamp in ipairs(redis.call('HVALS', KEYS[2])) do
  waiting = waiting + 1
  local published = tonumber(string.match(stamp, '^%d+%.(%d+)'))
  if published and (oldest < 0 or published < oldest) then oldest = published end
end
local open = 0
for _, row in ipairs(redis.call('HVALS', KEYS[3])) do
  if string.find(row, '"state":"intent"', 1, true) then open = open + 1 end
end
local codes, parked = {}, 0
for _, row in ipairs(redis.call('HVALS', KEYS[5])) do
  local code = string.match(row, '"code":"([a-z_]+)"')
  if code then codes[code] = (codes[code] or 0) + 1 end
  if string.find(row, '"parked":"[^"]') then parked = parked + 1 end
end
local run, reasons = redis.call('GET', KEYS[6]), {}
if run then
  local read, row = pcall(cjson.decode, run)
  if read and type(row) == 'table' and type(row.reasons) == 'table' then reasons = row.reasons end
end
local survey, surveyed = redis.call('HGET', KEYS[7], 'last'), -1
if survey then surveyed = tonumber(string.match(survey, '"read_at":(%d+)')) or -1 end
local function json(counts) return next(counts) and cjson.encode(counts) or '{}' end
return {state[1] == '1' and 1 or 0, tonumber(state[2]) or 0, waiting, oldest, open, redis.call('SCARD', KEYS[4]),
  parked, surveyed, json(codes), json(reasons)}
