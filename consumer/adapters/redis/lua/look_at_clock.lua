-- WITH state_clock
-- Move what lies too far ahead since the server's clock was set back, and say when the subject is due.
-- KEYS: state (hash)
-- ARGV: none
-- Returns {due ms or -1, now ms}.
-- Atomic because a claim must see all moments moved or none. Repeating it changes nothing.
local now = state_time(KEYS[1])
local fields = redis.call('HMGET', KEYS[1], 'due', 'survey', 'until', 'hold')
local due, survey, held, hold = tonumber(fields[1]), tonumber(fields[2]), tonumber(fields[3]) or 0, tonumber(fields[4]) or 0
if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
return {due and math.max(due, held) or -1, now}
