-- WITH figures
-- Put some rows of the ledger of an archived event back, before anything is planned from it (Y4).
-- KEYS: state (hash), figures (hash), ledger (hash)
-- ARGV: when it was archived, ms, "1" with the last rows (else "0"), then key, row of each entry
-- Returns 1, or 0 when it is no longer archived, or was again.
-- Atomic because another worker may do the same, and push at once. Until the last rows no claim takes the event; a repeat
-- counts no row twice. What a rebuild has put into the ledger since is newer.
if redis.call('HGET', KEYS[1], 'archived') ~= ARGV[1] then return 0 end
local changes = {}
if redis.call('HGET', KEYS[2], 'returning') ~= ARGV[1] then
  forget_counts(KEYS[2], 'ledger')
  redis.call('HSET', KEYS[2], 'returning', ARGV[1])
  local rows = redis.call('HGETALL', KEYS[3])
  for at = 1, #rows, 2 do note(changes, 1, names_of('ledger', rows[at], rows[at + 1])) end
end
for at = 3, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[3], ARGV[at], ARGV[at + 1]) == 1 then
    note(changes, 1, names_of('ledger', ARGV[at], ARGV[at + 1]))
  end
end
count(KEYS[2], changes)
if ARGV[2] ~= '1' then return 1 end
redis.call('HDEL', KEYS[2], 'archived', 'ends', 'returning')
redis.call('HDEL', KEYS[1], 'archived')
-- Compared with Swoogo once more, as it was before.
local time = redis.call('TIME')
if redis.call('HGET', KEYS[1], 'continuous') == '1' then
  redis.call('HSETNX', KEYS[1], 'survey', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
end
return 1
