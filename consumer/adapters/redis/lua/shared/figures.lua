-- What stands of an event, in numbers (hash `figures`), kept by every script that writes it: nothing has to be counted to be
-- shown. What a row was goes out and what it is comes in, in one step with the write, so a repeat counts nothing.
-- Fields: `ledger/KIND/STATE`, `issue/CODE`, `parked`; and `revision`, which grows with every write.
local function names_of(part, key, row)
  if part == 'ledger' then
    return 'ledger/' .. string.match(key, '^[^/]*') .. '/' .. (string.match(row, '"state":"(%a+)"') or 'unknown')
  end
  local parked = string.find(row, '"parked":"[^"]') and 'parked'
  return 'issue/' .. (string.match(row, '"code":"([a-z_]+)"') or 'unknown'), parked
end
local function note(changes, by, ...)
  for _, name in ipairs({...}) do
    if name then changes[name] = (changes[name] or 0) + by end
  end
end
local function count(figures, changes)
  for name, by in pairs(changes) do
    if by ~= 0 and redis.call('HINCRBY', figures, name, by) == 0 then redis.call('HDEL', figures, name) end
  end
  redis.call('HINCRBY', figures, 'revision', 1)
end
local function forget_counts(figures, part)
  for _, name in ipairs(redis.call('HKEYS', figures)) do
    local of = string.match(name, '^(%a+)/') or name
    local is_issue = of == 'issue' or of == 'parked'
    if part == 'ledger' and of == 'ledger' or part == 'issues' and is_issue then redis.call('HDEL', figures, name) end
  end
end
