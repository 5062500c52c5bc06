-- Note what was sent of records that were marked before, unless somebody else marked or sent them meanwhile.
-- KEYS: published (hash: record -> digest of what the topic has, or a mark)
-- ARGV: the mark, then record, digest ("": nothing stands) for each
-- Returns how many are left in doubt.
-- Atomic because what two workers sent has no known order: a record that lost its mark is left in doubt, and sent again
-- by the next push. Repeating it notes nothing twice: a record that has its digest keeps it.
local doubtful = 0
for at = 2, #ARGV, 2 do
  local held = redis.call('HGET', KEYS[1], ARGV[at]) or ''
  if held == ARGV[1] then
    if ARGV[at + 1] == '' then
      redis.call('HDEL', KEYS[1], ARGV[at])
    else
      redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
    end
  elseif held ~= ARGV[at + 1] then
    redis.call('HSET', KEYS[1], ARGV[at], '?')
    doubtful = doubtful + 1
  end
end
return doubtful
