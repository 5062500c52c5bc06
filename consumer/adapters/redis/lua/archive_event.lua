-- WITH figures
-- Put an event away: where its ledger lies, its deletions as they are, nothing else of what was recorded and found (Y4).
-- KEYS: state (hash), archive (string), figures (hash), rows (hash), versions (hash), ledger (hash), dirty (hash), requests
--   (hash), orders (set), unlogged (set), hints (hash), then whatever else goes
-- ARGV: epoch of the lease it is done under, ms, where the ledger lies, then key, row, stamp of each row that stays
-- Returns 1, or 0 when something waits, or somebody else has the lease.
-- Atomic because a change recorded meanwhile keeps the event as it is. A repeat finds it put away and says so.
local held = redis.call('HMGET', KEYS[1], 'epoch', 'archived', 'due')
if held[2] == ARGV[2] then return 1 end
if held[1] ~= ARGV[1] or held[2] or held[3] or redis.call('EXISTS', unpack(KEYS, 7, 11)) > 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('DEL', unpack(KEYS, 4))
for at = 4, #ARGV, 3 do
  redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1])
  redis.call('HSET', KEYS[5], ARGV[at], ARGV[at + 2])
end
forget_counts(KEYS[3], 'issues')
redis.call('HDEL', KEYS[3], 'left_out')
redis.call('HSET', KEYS[3], 'archived', ARGV[2])
redis.call('HDEL', KEYS[1], 'survey', 'depth', 'hold', 'attempt', 'first', 'oldest')
redis.call('HSET', KEYS[1], 'archived', ARGV[2])
return 1
