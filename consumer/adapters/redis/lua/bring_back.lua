-- WITH figures
-- Put the ledger of an archived event back, before anything is planned from it (Y4).
-- KEYS: state (hash), figures (hash), ledger (hash)
-- ARGV: when it was archived, ms, then key, row of each entry
-- Returns 1, or 0 when it is no longer archived, or was again.
-- Atomic because another worker may do the same, and push at once. What a rebuild has put into the ledger since is newer.
if redis.call('HGET', KEYS[1], 'archived') ~= ARGV[1] then return 0 end
for at = 2, #ARGV, 2 do redis.call('HSETNX', KEYS[3], ARGV[at], ARGV[at + 1]) end
forget_counts(KEYS[2], 'ledger')
local changes, rows = {}, redis.call('HGETALL', KEYS[3])
for at = 1, #rows, 2 do note(changes, 1, names_of('ledger', rows[at], rows[at + 1])) end
count(KEYS[2], changes)
redis.call('HDEL', KEYS[2], 'archived', 'ends')
redis.call('HDEL', KEYS[1], 'archived')
-- Compared with Swoogo once more, as it was before.
local time = redis.call('TIME')
if redis.call('HGET', KEYS[1], 'continuous') == '1' then
  redis.call('HSETNX', KEYS[1], 'survey', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
end
return 1
