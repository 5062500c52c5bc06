-- Take a due subject for the lease time; its epoch grows, and is the server's time where that is more: so it also grows
-- when Redis forgot the former one, and nobody's old lease fits a new claim (G4, G6).
-- KEYS: state (hash)
-- ARGV: op id of the claim, lease ms
-- Returns {epoch or 0, next due ms or -1, now ms, attempt, request JSON or "", depth of the survey that is due or ""}.
-- Atomic because two workers may see the same subject due. A repeat with the same op id gets the same answer.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call('HMGET', KEYS[1], 'due', 'until', 'op', 'epoch', 'attempt', 'request', 'survey', 'hold',
  'depth', 'surveying')
local due, held, survey = tonumber(fields[1]), tonumber(fields[2]) or 0, tonumber(fields[7])
local attempt, request = tonumber(fields[5]) or 0, fields[6] or ''
local depth = fields[9] or 'shallow'
if held > now then
  if fields[3] ~= ARGV[1] then return {0, held, now, attempt, '', ''} end
  return {tonumber(fields[4]), held, now, attempt, request, fields[10] and depth or ''}
end
local following = earliest(due, survey, tonumber(fields[8]) or 0, 0)
if following < 0 or following > now then return {0, following, now, attempt, '', ''} end
local epoch = math.max((tonumber(fields[4]) or 0) + 1, now)
held = now + tonumber(ARGV[2])
-- Due again when the lease runs out: a worker that dies leaves nothing behind.
redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'op', ARGV[1],
  'until', string.format('%.0f', held), 'due', string.format('%.0f', held))
redis.call('HDEL', KEYS[1], 'first', 'surveying', 'switched')
-- Changes and manual syncs go first; the survey stays due and follows them.
if due and due <= now then return {epoch, held, now, attempt, request, ''} end
redis.call('HSET', KEYS[1], 'surveying', fields[7])
return {epoch, held, now, attempt, request, depth}
