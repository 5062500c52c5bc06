-- WITH requests state_clock oldest
-- Give a claimed subject back: clear marks that did not move, and say when it is due again.
-- KEYS: state (hash), dirty (hash), orders (set), requests (hash: id -> request that waits), served (hash: id -> stamp)
-- ARGV: epoch, quiet ms, max wait ms, retry in ms or -1, failed ("1" or "0"), always ("1" or "0"), op id,
--       how many requests were claimed, ms until the next survey (-1 to leave it, -2 for none), ms until what they left
--       out is looked at or -1, then the ids of those requests, then key, stamp for each mark dealt with
-- Returns {due ms, -1 for not due, or -2 when somebody else has it, now ms}.
-- Atomic because a change recorded while the work went on must stay dirty and make the subject due again.
local function earliest(due, survey, hold, held)
  if survey and (not due or math.max(survey, hold) < due) then due = math.max(survey, hold) end
  return due and math.max(due, held) or -1
end
local state, dirty, waiting, served = KEYS[1], KEYS[2], KEYS[4], KEYS[5]
local now = state_time(state)
local fields = redis.call('HMGET', state, 'epoch', 'first', 'due', 'attempt', 'continuous', 'done', 'survey', 'surveying',
  'hold', 'kept')
local survey = tonumber(fields[7])
if fields[1] ~= ARGV[1] then return {-2, now} end
if fields[6] == ARGV[7] then return {earliest(tonumber(fields[3]), survey, tonumber(fields[9]) or 0, 0), now} end
local quiet, max_wait, retry = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local failed, first = ARGV[5] == '1', tonumber(fields[2])
local marks_from = 11 + tonumber(ARGV[8])
for at = marks_from, #ARGV, 2 do
  if redis.call('HGET', dirty, ARGV[at]) == ARGV[at + 1] then redis.call('HDEL', dirty, ARGV[at]) end
end
-- Since when the oldest of the rest has waited; of very many it is not looked for, and stays as it was: earlier at most.
local rest = redis.call('HLEN', dirty)
if rest == 0 then
  redis.call('HDEL', state, 'oldest')
elseif marks_from < #ARGV and rest <= 1000 then
  local oldest = math.huge
  for _, stamp in ipairs(redis.call('HVALS', dirty)) do oldest = math.min(oldest, published(stamp)) end
  redis.call('HSET', state, 'oldest', string.format('%.0f', oldest))
end
gather(state, waiting, served)
-- Work that comes again comes as it was asked for: with its scope, and also when sync is not continuous. A survey serves
-- no request: its scope is another.
local done, claimed, asked_meanwhile = not failed and retry < 0 and not fields[8], {}, false
for at = 11, marks_from - 1 do claimed[ARGV[at]] = true end
for _, row in ipairs(redis.call('HVALS', waiting)) do
  local asked = cjson.decode(row)
  if not claimed[asked.id] then
    asked_meanwhile = true
  elseif done then
    redis.call('HDEL', waiting, asked.id)
    serve(state, served, asked.id, asked.stamp or '')
  end
end
local request = done and sum_up(state, waiting) or redis.call('HGET', state, 'request')
redis.call('HDEL', state, 'hold', 'op', 'surveying', 'kept')
redis.call('HSET', state, 'until', 0, 'done', ARGV[7], 'attempt', failed and (tonumber(fields[4]) or 0) + 1 or 0)
local surveying, dirt = fields[8] and ARGV[9] ~= '-1', rest + redis.call('SCARD', KEYS[3])
-- A survey that could not be done is what is tried again; whatever came after one that was done is a retry as any.
local unread = surveying and failed and retry < 0
-- A survey asked for meanwhile is still to come. One of an event that is not continuous is done once.
if surveying and fields[7] == fields[8] then
  if (fields[5] == '1' or unread) and ARGV[9] ~= '-2' then
    survey = now + tonumber(ARGV[9])
    redis.call('HSET', state, 'survey', string.format('%.0f', survey))
  else
    survey = nil
    redis.call('HDEL', state, 'survey')
  end
  if not unread then redis.call('HDEL', state, 'depth') end
end
if unread and dirt > 0 and fields[5] == '1' then retry = tonumber(ARGV[9]) end
local due, hold = -1, 0
if retry >= 0 then
  due = now + retry
  -- After a failure nothing is tried before; what merely waits for something lets changes go on in their own time.
  if failed then
    hold = due
    redis.call('HSET', state, 'hold', string.format('%.0f', hold))
  elseif first then
    due = math.min(due, tonumber(fields[3]))
  end
  if asked_meanwhile then due = now end
elseif request then
  due = now
elseif (fields[5] == '1' or ARGV[6] == '1') and dirt > 0 then
  due = first and tonumber(fields[3]) or math.min(now + quiet, now + max_wait)
elseif fields[5] == '1' and tonumber(ARGV[10]) >= 0 then
  due = now + tonumber(ARGV[10])
end
local kept = tonumber(fields[10])
if kept and (due < 0 or kept < due) then due = kept end
if due < 0 then
  redis.call('HDEL', state, 'due', 'first')
else
  redis.call('HSET', state, 'due', string.format('%.0f', due))
end
return {earliest(due >= 0 and due or nil, survey, hold, 0), now}
