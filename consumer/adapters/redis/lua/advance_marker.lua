-- Note how far a Redis that has everything has come, unless it is another one than was asked before (G6).
-- KEYS: marker (hash)
-- ARGV: server process (of a cluster, all of them), the same as the marker has it, generation, then topic/partition,
--   offset pairs
-- Returns 1, or 0 when nothing was written.
-- Atomic because a copy put in its place keeps the offsets that it came with. Offsets only grow; a repeat changes nothing.
if not string.find(ARGV[1], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 1, true) then return 0 end
local held = redis.call('HMGET', KEYS[1], 'server', 'id', 'lost')
if held[1] ~= ARGV[2] or held[2] ~= ARGV[3] or held[3] then return 0 end
if ARGV[1] ~= ARGV[2] then redis.call('HSET', KEYS[1], 'server', ARGV[1]) end
for at = 4, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[at])) or 0
  if tonumber(ARGV[at + 1]) > known then redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
end
return 1
