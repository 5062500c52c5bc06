-- Add up what stands of events, for the figures of all together.
-- KEYS: of each event its state (hash), dirty (hash), unlogged (set), survey (hash), ledger (hash), issues (hash), figures
--   (hash)
-- Returns { places of the events whose figures do not add up and which are not in the sums, { name, number, ... } }
--   names: failing, continuous, changes, unlogged, intents, parked, issue/CODE, left_out/KIND:REASON, and the earliest
--   moments oldest and surveyed (ms), as adapters.redis.event_stats has them of one event
-- A script for the sake of one answer instead of seven for each event. It only reads, so repeating it changes nothing.
local sums, wrong = {}, {}
local function add(name, by)
  if by ~= 0 then sums[name] = (sums[name] or 0) + by end
end
local function earlier(name, moment)
  if moment and (not sums[name] or moment < sums[name]) then sums[name] = moment end
end
for at = 1, #KEYS, 7 do
  local figures = redis.call('HGETALL', KEYS[at + 6])
  local counted, found, left_out, archived = {ledger = 0, issue = 0}, {}, nil, false
  for field = 1, #figures, 2 do
    local name, value = figures[field], figures[field + 1]
    local part = string.match(name, '^(%a+)/')
    if part then counted[part] = (counted[part] or 0) + value end
    if part == 'issue' or name == 'parked' then
      found[name] = (found[name] or 0) + value
    elseif part == 'ledger' and string.match(name, '/intent$') then
      found.intents = (found.intents or 0) + value
    elseif name == 'left_out' then
      left_out = value
    elseif name == 'archived' then
      archived = true
    end
  end
  local entries, issues = redis.call('HLEN', KEYS[at + 4]), redis.call('HLEN', KEYS[at + 5])
  if archived or (counted.ledger == entries and counted.issue == issues) then
    for name, number in pairs(found) do add(name, number) end
    for name, number in pairs(left_out and cjson.decode(left_out) or {}) do add('left_out/' .. name, number) end
    local state = redis.call('HMGET', KEYS[at], 'continuous', 'attempt', 'oldest')
    if tonumber(state[2] or 0) > 0 then add('failing', 1) end
    add('unlogged', redis.call('SCARD', KEYS[at + 2]))
    if state[1] == '1' then
      local changes, surveyed = redis.call('HLEN', KEYS[at + 1]), redis.call('HGET', KEYS[at + 3], 'read_at')
      add('continuous', 1)
      add('changes', changes)
      if changes > 0 and state[3] then earlier('oldest', tonumber(state[3])) end
      if surveyed and tonumber(surveyed) > 0 then earlier('surveyed', tonumber(surveyed)) end
    end
  else
    wrong[#wrong + 1] = (at - 1) / 7
  end
end
local answer = {}
for name, number in pairs(sums) do
  answer[#answer + 1] = name
  answer[#answer + 1] = number
end
return {wrong, answer}
