-- Delete a key when it still holds the value given.
-- KEYS: any string
-- ARGV: value
-- Returns 1 when deleted.
-- Atomic because another holder may have taken it in between.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
