-- Note up to where one server of a cluster has everything, unless it is another one or was wiped since (G6).
-- KEYS: mark (hash: which servers it was written for, the rebuild that puts everything back, topic/partition -> offset)
-- ARGV: servers, field, value ("": any) that it must have, what it is written for, then topic/partition, offset pairs
-- Returns 1, or 0 when nothing was written.
-- Atomic because a server that is another one by now must not be said to hold what it lost. A repeat changes nothing.
if not string.find(ARGV[1], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 1, true) then return 0 end
local held = redis.call('HGET', KEYS[1], ARGV[2])
if not held or (ARGV[3] ~= '' and held ~= ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'as', ARGV[4])
for at = 5, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
return 1
