-- WITH figures
-- Put entries of the changelog into the ledger of an event, where they are newer than what is there (G3, G6).
-- KEYS: state (hash), ledger (hash), unlogged (set), figures (hash)
-- ARGV: key, entry (JSON, "" for one that was forgotten), epoch, at ms (for a forgotten one: of its publication), ...
-- Returns how many changed.
-- Atomic because a worker that still holds the event may write in between. Where something changed, the epoch of the
-- event passes the highest one known, so that a holder by a former claim has lost it.
local changed, numbers = 0, {}
for at = 1, #ARGV, 4 do
  local key, entry, epoch, moment = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local held = redis.call('HGET', KEYS[2], key)
  local newer
  if held then
    local known = cjson.decode(held)
    local unlogged = redis.call('SISMEMBER', KEYS[3], key) == 1
    if entry == '' then
      newer = not (unlogged and known.at > moment)
    else
      newer = epoch > known.epoch or (epoch == known.epoch and moment > known.at)
    end
  else
    newer = entry ~= '' and redis.call('SISMEMBER', KEYS[3], key) == 0
    if entry == '' then redis.call('SREM', KEYS[3], key) end
  end
  if newer then
    changed = changed + 1
    if held then note(numbers, -1, names_of('ledger', key, held)) end
    if entry ~= '' then note(numbers, 1, names_of('ledger', key, entry)) end
    if entry == '' then redis.call('HDEL', KEYS[2], key) else redis.call('HSET', KEYS[2], key, entry) end
    if epoch >= (tonumber(redis.call('HGET', KEYS[1], 'epoch')) or 0) then
      redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch + 1))
    end
  end
end
if changed > 0 then count(KEYS[4], numbers) end
return changed
