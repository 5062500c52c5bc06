-- WITH figures
-- Put right the numbers of an event that were counted row by row, unless something was written meanwhile.
-- KEYS: figures (hash), state (hash), dirty (hash)
-- ARGV: revision of the figures before the count ("" for none), publication of the oldest dirty mark ms or "", then name,
--   number for each
-- Returns 1, or 0 when something was written meanwhile.
-- Atomic because a write between the count and this one would be lost to the numbers. Repeating it changes nothing.
if (redis.call('HGET', KEYS[1], 'revision') or '') ~= ARGV[1] then return 0 end
forget_counts(KEYS[1], 'ledger')
forget_counts(KEYS[1], 'issues')
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
local held, counted = tonumber(redis.call('HGET', KEYS[2], 'oldest')), tonumber(ARGV[2])
if counted and redis.call('HLEN', KEYS[3]) > 0 and (not held or held > counted) then
  redis.call('HSET', KEYS[2], 'oldest', ARGV[2])
end
return 1
