-- Take pairs out of the outbox whose rows are still those that were sent on; the others are to be sent again.
-- KEYS: records (hash event -> row), unlogged (set of events)
-- ARGV: event id, row sent for each
-- Returns 1 where the outbox has any left, else 0.
-- Atomic because a row written again meanwhile must stay in the outbox. It is also put back there: the sender of the old
-- row may have come after the worker that sent the new one and took it out.
for at = 1, #ARGV, 2 do
  local row = redis.call('HGET', KEYS[1], ARGV[at])
  if row == ARGV[at + 1] then
    redis.call('SREM', KEYS[2], ARGV[at])
  elseif row then
    redis.call('SADD', KEYS[2], ARGV[at])
  end
end
return redis.call('EXISTS', KEYS[2])
