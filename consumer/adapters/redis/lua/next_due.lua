-- Subjects that are due, oldest first, and how long until the next one.
-- KEYS: due (sorted set, score = due ms)
-- ARGV: how many at most
-- Returns {ms until the next that is not due yet or -1, subject, due ms, subject, due ms, ...}.
-- A script only for the server's clock: every replica sees the same "now".
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1], 'WITHSCORES')
local following = redis.call('ZRANGE', KEYS[1], '(' .. now, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
local wait = -1
if following[2] then wait = tonumber(following[2]) - now end
-- One by one: Lua hands over some 8,000 values at most.
local answer = {wait}
for at = 1, #found do answer[at + 1] = found[at] end
return answer
