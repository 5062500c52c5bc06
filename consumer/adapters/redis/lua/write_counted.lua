-- WITH figures
-- Write rows of the ledger or issues only for the worker that holds the lease (G4), and keep their numbers.
-- KEYS: state (hash), target (hash `ledger` or `issues`), figures (hash), and optionally an outbox (set) that gets the name
--   of every field written
-- ARGV: epoch, replace ("1": the target is emptied first), then field, value pairs; an empty value deletes
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because the epoch must be the current one at the moment of writing, and the numbers those of the rows.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local part, changes = string.match(KEYS[2], '(%a+)$'), {}
if ARGV[2] == '1' then
  redis.call('DEL', KEYS[2])
  forget_counts(KEYS[3], part)
end
for from = 3, #ARGV, 1000 do
  local last, fields, written, gone = math.min(from + 999, #ARGV), {}, {}, {}
  for at = from, last, 2 do fields[#fields + 1] = ARGV[at] end
  local held = redis.call('HMGET', KEYS[2], unpack(fields))
  for at = from, last, 2 do
    local field, row, before = ARGV[at], ARGV[at + 1], held[(at - from) / 2 + 1]
    if before then note(changes, -1, names_of(part, field, before)) end
    if row == '' then
      gone[#gone + 1] = field
    else
      note(changes, 1, names_of(part, field, row))
      written[#written + 1], written[#written + 2] = field, row
    end
  end
  if #written > 0 then redis.call('HSET', KEYS[2], unpack(written)) end
  if #gone > 0 then redis.call('HDEL', KEYS[2], unpack(gone)) end
  if KEYS[4] then redis.call('SADD', KEYS[4], unpack(fields)) end
end
if ARGV[2] == '1' or #ARGV > 2 then count(KEYS[3], changes) end
return 1
