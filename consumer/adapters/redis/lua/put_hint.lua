-- WITH state_clock
-- Keep what a delivery says of a record, one hint a record, and make a look at the event due soon (W2).
-- KEYS: state (hash), hints (hash: record -> hint, "*" -> look at everything), mapping (string)
-- ARGV: record or "*", hint, the same without its row, stamp, digest, deleted ("1" or "0"), how many are kept, their
--       seconds to live, ms until the look
-- Returns {2 kept, 1 known, 0 not mapped, due ms, now ms}.
-- Atomic because a hint must make the event due, and a claim that takes it must see it. Repeating it changes nothing.
local now = state_time(KEYS[1])
if redis.call('EXISTS', KEYS[3]) == 0 then return {0, -1, now} end
local record, value, news = ARGV[1], ARGV[2], 2
local held = redis.call('HGET', KEYS[2], record)
if held and record ~= '*' then
  local known = cjson.decode(held)
  local deleted = ARGV[6] == '1'
  if known.digest == ARGV[5] or known.deleted or (not deleted and ARGV[4] < known.stamp) then
    news = 1
  elseif ARGV[4] == known.stamp and not deleted then
    value = ARGV[3]
  end
elseif not held and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[7]) then
  record, value = '*', '1'
end
if news == 2 then redis.call('HSET', KEYS[2], record, value) end
redis.call('EXPIRE', KEYS[2], ARGV[8])
local fields = redis.call('HMGET', KEYS[1], 'depth', 'survey', 'surveying', 'until', 'attempt', 'due')
local survey, soon = tonumber(fields[2]), now + tonumber(ARGV[9])
-- A survey that failed waits for its time, and sees what the hint says.
local hasten = not survey or (survey > soon and (tonumber(fields[5]) or 0) == 0) or fields[2] == fields[3]
if hasten then
  survey = soon
  redis.call('HSET', KEYS[1], 'survey', string.format('%.0f', survey))
  if fields[1] ~= 'deep' and fields[1] ~= 'confirmed' then redis.call('HSET', KEYS[1], 'depth', 'hinted') end
end
local due = math.min(survey, tonumber(fields[6]) or survey)
return {news, math.max(due, tonumber(fields[4]) or 0), now}
