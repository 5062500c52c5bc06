-- Take pairs out of the outbox whose rows are still those that were sent on.
-- KEYS: records (hash event -> row), unlogged (set of events)
-- ARGV: event id, row sent for each
-- Returns 1.
-- Atomic because a row written again meanwhile must stay in the outbox.
for at = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[at]) == ARGV[at + 1] then redis.call('SREM', KEYS[2], ARGV[at]) end
end
return 1
