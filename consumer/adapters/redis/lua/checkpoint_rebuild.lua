-- Note up to where a rebuild has put everything into this Redis, and what it read of standings, for the next one (G6).
-- KEYS: lock (string), restored (hash: topic/partition -> offset, and what it belongs to), standings (hash)
-- ARGV: owner, server process (of a cluster, all of them), lineage, number of standings, then key, epoch, standing of each, then field, offset pairs
-- Returns 1, or 0 when the lock is not the owner's or another server process answers.
-- Atomic because a server that went back in time must not be said to hold what it lost. Offsets only replace older
-- ones of the same rebuild, and of two standings of a key the higher epoch counts, so a repeat changes nothing.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if not string.find(ARGV[2], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), 1, true) then return 0 end
if redis.call('HGET', KEYS[2], 'lineage') ~= ARGV[3] then
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[2], 'lineage', ARGV[3])
end
local at = 5
for _ = 1, tonumber(ARGV[4]) do
  local held = redis.call('HGET', KEYS[3], ARGV[at])
  if not held or cjson.decode(held).epoch <= tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 2])
  end
  at = at + 3
end
for place = at, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[place], ARGV[place + 1]) end
return 1
