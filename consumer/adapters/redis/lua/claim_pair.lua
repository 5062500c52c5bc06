-- Enter an event pair for ever, unless either partner has another (M2).
-- KEYS: swoogo_of (hash event -> Swoogo event), event_of (hash Swoogo event -> event)
-- ARGV: event id, Swoogo event id
-- Returns 1 when the pair is entered (now or before), 0 when refused.
-- Atomic because two mappings may ask for the same partner at once.
local swoogo, event = redis.call('HGET', KEYS[1], ARGV[1]), redis.call('HGET', KEYS[2], ARGV[2])
if (swoogo and swoogo ~= ARGV[2]) or (event and event ~= ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
return 1
