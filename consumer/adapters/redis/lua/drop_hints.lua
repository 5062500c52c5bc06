-- Forget hints that were dealt with; one that was replaced meanwhile stays.
-- KEYS: hints (hash)
-- ARGV: record, hint for each
-- Returns how many were forgotten.
-- Atomic because a delivery may replace a hint in between. Repeating it changes nothing.
local dropped = 0
for at = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[at]) == ARGV[at + 1] then
    dropped = dropped + redis.call('HDEL', KEYS[1], ARGV[at])
  end
end
return dropped
