-- The credits' own time, ms: the server's, and later by as much as that was ever set back. So it never goes back, the
-- window ends when it would have ended, and no slot, hold or wait lies further ahead than when it was written. The hash
-- forgets it two windows after its last use, when there is nothing left to count.
local function credit_time(credits, now)
  local fields = redis.call('HMGET', credits, 'seen', 'behind')
  local seen, behind = tonumber(fields[1]) or 0, tonumber(fields[2]) or 0
  if now + behind < seen then behind = seen - now end
  return now + behind, behind
end
local function note_credit_time(credits, moment, behind)
  redis.call('HSET', credits, 'seen', string.format('%.0f', moment))
  if behind > 0 then redis.call('HSET', credits, 'behind', string.format('%.0f', behind)) end
end
