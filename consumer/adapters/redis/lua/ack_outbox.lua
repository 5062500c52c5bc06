-- Take names out of the outbox whose rows are still those that were sent on, for the worker that holds the lease.
-- KEYS: state (hash), target (hash), outbox (set)
-- ARGV: epoch, then field, value sent ("" for a field that was not there) for each
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because a row written again meanwhile must stay in the outbox, and so must whatever the next holder wrote.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch ~= ARGV[1] then
  -- A worker that lost the lease may have sent old rows on after newer ones: the next holder sends those again. Where Redis
  -- lost everything there are no newer ones, and a name without a row would pass for an entry that was forgotten.
  if not epoch then return 0 end
  for at = 2, #ARGV, 2 do
    if (redis.call('HGET', KEYS[2], ARGV[at]) or '') ~= ARGV[at + 1] then redis.call('SADD', KEYS[3], ARGV[at]) end
  end
  return 0
end
for at = 2, #ARGV, 2 do
  if (redis.call('HGET', KEYS[2], ARGV[at]) or '') == ARGV[at + 1] then redis.call('SREM', KEYS[3], ARGV[at]) end
end
return 1
