-- WITH state_clock
-- Make a survey of an event due now, as deep as asked or as one asked for before it.
-- KEYS: state (hash)
-- ARGV: depth ("shallow", "deep" or "confirmed")
-- Returns {due ms, now ms}.
-- Atomic because a claim must see the moment and the depth together. Repeating it changes nothing.
local now = state_time(KEYS[1])
local rank = {hinted = 0, shallow = 1, deep = 2, confirmed = 3}
local fields = redis.call('HMGET', KEYS[1], 'depth', 'survey', 'surveying', 'until')
local survey = tonumber(fields[2])
if rank[ARGV[1]] > rank[fields[1] or 'shallow'] then redis.call('HSET', KEYS[1], 'depth', ARGV[1]) end
if not survey or survey > now or fields[2] == fields[3] then
  survey = now
  redis.call('HSET', KEYS[1], 'survey', string.format('%.0f', survey))
end
return {math.max(survey, tonumber(fields[4]) or 0), now}
