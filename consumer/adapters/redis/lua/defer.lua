-- WITH requests state_clock
-- Give a claimed event back untried: it comes again as it was, a while later, and that is no failure.
-- KEYS: state (hash), dirty (hash), orders (set), requests (hash: id -> request that waits), served (hash: id -> stamp)
-- ARGV: epoch, op id, ms, then the ids of the requests that were claimed
-- Returns {due ms, -1 for not due, or -2 when somebody else has it, now ms}.
-- Atomic because what is asked for meanwhile must not be put off with it. A repeat with the same op id changes nothing.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local state = KEYS[1]
local now = state_time(state)
local fields = redis.call('HMGET', state, 'epoch', 'done', 'due', 'survey', 'hold', 'surveying', 'continuous', 'kept')
if fields[1] ~= ARGV[1] then return {-2, now} end
local survey = tonumber(fields[4])
if fields[2] == ARGV[2] then return {earliest(tonumber(fields[3]), survey, tonumber(fields[5]) or 0, 0), now} end
local hold = now + tonumber(ARGV[3])
local due, request = hold, gather(state, KEYS[4], KEYS[5])
local dirt = redis.call('HLEN', KEYS[2]) + redis.call('SCARD', KEYS[3])
-- A survey is due by a moment of its own; changes may have come since.
if fields[6] and not request and not (fields[7] == '1' and dirt > 0) then due = tonumber(fields[8]) end
local claimed = {}
for at = 4, #ARGV do claimed[ARGV[at]] = true end
for _, id in ipairs(redis.call('HKEYS', KEYS[4])) do
  if not claimed[id] then due = now end
end
redis.call('HDEL', state, 'op', 'surveying')
redis.call('HSET', state, 'until', 0, 'done', ARGV[2], 'hold', string.format('%.0f', hold))
if due then
  redis.call('HSET', state, 'due', string.format('%.0f', due))
else
  redis.call('HDEL', state, 'due', 'first')
end
return {earliest(due, survey, hold, 0), now}
