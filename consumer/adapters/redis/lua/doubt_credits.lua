-- What a credential spent is not known: until Swoogo says what is left, one call at a time (G5, G6).
-- KEYS: credits (hash)
-- ARGV: window ms
-- Returns 1.
-- A script only for the server's clock. Repeating it begins the window anew.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('HSET', KEYS[1], 'doubt', string.format('%.0f', now + tonumber(ARGV[1])))
redis.call('HDEL', KEYS[1], 'probe')
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) * 2)
return 1
