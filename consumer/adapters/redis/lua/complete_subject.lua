-- Give a claimed subject back: clear marks that did not move, and say when it is due again.
-- KEYS: state (hash), dirty (hash)
-- ARGV: epoch, quiet ms, max wait ms, retry in ms or -1, failed ("1" or "0"), always ("1" or "0"), op id,
--       request seen (JSON or ""), then key, stamp for each mark dealt with
-- Returns {due ms, -1 for not due, or -2 when somebody else has it, now ms}.
-- Atomic because a change recorded while the work went on must stay dirty and make the subject due again.
local state, dirty = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call('HMGET', state, 'epoch', 'first', 'due', 'attempt', 'continuous', 'request', 'done', 'until')
if fields[1] ~= ARGV[1] then return {-2, now} end
if fields[7] == ARGV[7] then return {tonumber(fields[3]) or -1, now} end
local quiet, max_wait, retry = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local failed, first = ARGV[5] == '1', tonumber(fields[2])
for at = 9, #ARGV, 2 do
  if redis.call('HGET', dirty, ARGV[at]) == ARGV[at + 1] then redis.call('HDEL', dirty, ARGV[at]) end
end
local request = fields[6]
local asked_meanwhile = request and request ~= ARGV[8]
if request and not asked_meanwhile and not failed then
  redis.call('HDEL', state, 'request')
  request = false
end
redis.call('HDEL', state, 'hold', 'op')
redis.call('HSET', state, 'until', 0, 'done', ARGV[7], 'attempt', failed and (tonumber(fields[4]) or 0) + 1 or 0)
local due = -1
if retry >= 0 then
  due = now + retry
  redis.call('HSET', state, 'hold', string.format('%.0f', due))
  if asked_meanwhile then due = now end
elseif request then
  due = now
elseif (fields[5] == '1' or ARGV[6] == '1') and redis.call('HLEN', dirty) > 0 then
  due = first and tonumber(fields[3]) or math.min(now + quiet, now + max_wait)
end
if due < 0 then
  redis.call('HDEL', state, 'due', 'first')
else
  redis.call('HSET', state, 'due', string.format('%.0f', due))
end
return {due, now}
