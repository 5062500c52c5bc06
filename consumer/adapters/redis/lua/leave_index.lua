-- Take subjects out of a due index that lie in a queue by now, unless they were moved since.
-- KEYS: due (sorted set: subject -> due ms)
-- ARGV: subject, due ms it was found with for each
-- Returns 1.
-- Atomic because a worker may claim the subject in between, and then it is due again when the lease ends. Repeating it
-- changes nothing.
for at = 1, #ARGV, 2 do
  if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[at])) == tonumber(ARGV[at + 1]) then
    redis.call('ZREM', KEYS[1], ARGV[at])
  end
end
return 1
