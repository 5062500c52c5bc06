-- Write or delete a value only for the holder of what it belongs to (G4).
-- KEYS: value (string), hash with the epoch
-- ARGV: field of the epoch, epoch of the writer, value or "" to delete, organization of the writer
-- Returns 1, or 0 when the epoch is another one.
-- Atomic because the epoch must be the current one at the moment of writing. Repeating it changes nothing.
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[1], ARGV[3])
  return 1
end
-- Another organization may have taken over an event as soon as this one let it go: that pair stays.
local held = redis.call('GET', KEYS[1])
if held and cjson.decode(held).org_id == ARGV[4] then redis.call('DEL', KEYS[1]) end
return 1
