-- WITH state_clock
-- Switch whether changes make the event due by themselves; what waits already becomes due now. Surveys go with it: the
-- first is planned when there is none, so that a restart or a second replica neither skips nor doubles one.
-- KEYS: state (hash), dirty (hash), holders (hash: organization -> epoch of its newest lease that was here), fresh
--   (string: ms since when changes are promised to be quick; what was recorded before never was)
-- ARGV: "1" or "0", ms until the first survey or -1 for none, who says so, and "1" when the pair ends. Who says so:
--   organization and the epoch of its lease, or
--   "" and the epoch of the event's own lease: it found no pair, unless one was switched on since it was claimed, or
--   "" and "": no other writer can be at it
-- Returns {due ms, -1 for not due, -2 when somebody else has it, or -3 when it was switched on meanwhile, now ms}.
-- Atomic because a change recorded meanwhile must not be left without a due time, and because a worker that was
-- stopped half-way must not undo what another one said since (G4).
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local now = state_time(KEYS[1])
local fields = redis.call('HMGET', KEYS[1], 'due', 'until', 'request', 'survey', 'hold', 'epoch', 'switched', 'first')
local due, survey, hold = tonumber(fields[1]), tonumber(fields[4]), tonumber(fields[5]) or 0
if ARGV[3] ~= '' then
  if redis.call('HGET', KEYS[3], ARGV[3]) ~= ARGV[4] then return {-2, now} end
elseif ARGV[4] ~= '' then
  if fields[6] ~= ARGV[4] then return {-2, now} end
  if fields[7] then return {-3, now} end
end
redis.call('HSET', KEYS[1], 'continuous', ARGV[1])
if ARGV[1] == '1' then
  redis.call('HSET', KEYS[1], 'switched', 1)
  redis.call('SET', KEYS[4], string.format('%.0f', now), 'NX')
end
if ARGV[1] == '0' then
  redis.call('DEL', KEYS[4])
  redis.call('HDEL', KEYS[1], 'survey', 'depth')
  survey = nil
  -- A manual sync that was asked for goes on all the same (C5).
  if not fields[3] then
    redis.call('HDEL', KEYS[1], 'due', 'first', 'hold', 'attempt')
    due = nil
    -- A worker that has it now may die after it published something: then another finds no pair, and takes that back.
    local held = tonumber(fields[2]) or 0
    if ARGV[5] == '1' and held > now then
      due = held
      redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due))
    end
  end
else
  if not survey and tonumber(ARGV[2]) >= 0 then
    survey = now + tonumber(ARGV[2])
    redis.call('HSET', KEYS[1], 'survey', string.format('%.0f', survey))
  end
  -- The current holder may have found no pair, and leaves what waits to the next one.
  local held = (tonumber(fields[2]) or 0) > now and not fields[8]
  if (not due or held) and redis.call('HLEN', KEYS[2]) > 0 then
    due = now
    redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due), 'first', string.format('%.0f', now))
  end
end
return {earliest(due, survey, hold, tonumber(fields[2]) or 0), now}
