-- WITH requests state_clock
-- Take a due subject for the lease time; its epoch grows, and is the server's time where that is more: so it also grows
-- when Redis forgot the former one, and no old lease fits a new claim (G4, G6).
-- KEYS: state (hash), requests (hash: id -> request that waits), served (hash: id -> stamp)
-- ARGV: op id of the claim, lease ms
-- Returns {epoch or 0, next due ms or -1 (-2: it is due and archived, and is to be brought back first), now ms, attempt, all requests together as JSON or "", depth of the survey that
--          is due or "", then id and stamp of each request}.
-- Atomic because two workers may see the same subject due. A repeat with the same op id gets the same answer.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local function answered(answer)
  for _, row in ipairs(redis.call('HVALS', KEYS[2])) do
    local asked = cjson.decode(row)
    answer[#answer + 1], answer[#answer + 2] = asked.id, asked.stamp or ''
  end
  return answer
end
local now = state_time(KEYS[1])
local request = gather(KEYS[1], KEYS[2], KEYS[3]) or ''
local fields = redis.call('HMGET', KEYS[1], 'due', 'until', 'op', 'epoch', 'attempt', 'survey', 'hold', 'depth',
  'surveying', 'archived')
local due, held, survey = tonumber(fields[1]), tonumber(fields[2]) or 0, tonumber(fields[6])
local attempt, depth = tonumber(fields[5]) or 0, fields[8] or 'shallow'
if held > now then
  if fields[3] ~= ARGV[1] then return {0, held, now, attempt, '', ''} end
  return answered({tonumber(fields[4]), held, now, attempt, request, fields[9] and depth or ''})
end
local following = earliest(due, survey, tonumber(fields[7]) or 0, 0)
if following < 0 or following > now then return {0, following, now, attempt, '', ''} end
if fields[10] then return {0, -2, now, 0, '', ''} end
local epoch = math.max((tonumber(fields[4]) or 0) + 1, now)
held = now + tonumber(ARGV[2])
-- Due again when the lease runs out: a worker that dies leaves nothing behind.
redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'op', ARGV[1],
  'until', string.format('%.0f', held), 'due', string.format('%.0f', held))
redis.call('HDEL', KEYS[1], 'first', 'surveying', 'switched', 'kept')
-- Changes and manual syncs go first; the survey stays due and follows them.
if due and due <= now then return answered({epoch, held, now, attempt, request, ''}) end
redis.call('HSET', KEYS[1], 'surveying', fields[6])
-- A look at hints plans nothing: what is due later stays due then.
if due and depth == 'hinted' then redis.call('HSET', KEYS[1], 'kept', fields[1]) end
return answered({epoch, held, now, attempt, request, depth})
