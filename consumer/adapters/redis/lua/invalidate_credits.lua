-- WITH credit_clock
-- What a credential spent is not known: until Swoogo says what is left, one call at a time (G5, G6).
-- KEYS: credits (hash)
-- ARGV: window ms
-- Returns 1.
-- A script only for the server's clock. Repeating it restarts the window.
local now = redis.call('TIME')
local behind
now, behind = credit_time(KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000))
note_credit_time(KEYS[1], now, behind)
-- A call that asks already is not joined by another one.
if (tonumber(redis.call('HGET', KEYS[1], 'doubt')) or 0) <= now then redis.call('HDEL', KEYS[1], 'probe') end
redis.call('HSET', KEYS[1], 'doubt', string.format('%.0f', now + tonumber(ARGV[1])))
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) * 2)
return 1
