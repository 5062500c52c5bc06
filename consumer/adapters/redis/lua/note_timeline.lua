-- Add to the timelines of records, and keep the calls of a run, only for the worker that holds the lease (G4).
-- KEYS: state (hash), timeline (hash: record -> lines, newest first; "since" -> ms), calls (hash: run -> calls)
-- ARGV: epoch, bytes kept of a record (a quarter more before it is cut), run, its calls ("" for none), runs kept, a run whose calls are
--       not kept any more ("": none), then record, lines pairs;
--       a line has no line feed in it, the newest line comes first
-- Returns 1, or 0 when somebody else has the lease.
-- Atomic because lines of one record are read and written again. Repeating it changes nothing: a line that is there
-- already is not added.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local limit = tonumber(ARGV[2])
if #ARGV > 6 then redis.call('HSETNX', KEYS[2], 'since', redis.call('TIME')[1] .. '000') end
for at = 7, #ARGV, 2 do
  local old = redis.call('HGET', KEYS[2], ARGV[at])
  local text = ARGV[at + 1]
  if old then
    local lines, count = {}, 0
    for line in string.gmatch(text, '[^\n]+') do
      if not string.find(old, line, 1, true) then
        count = count + 1
        lines[count] = line
      end
    end
    lines[count + 1] = old
    text = table.concat(lines, '\n')
  end
  -- By more than is too much, so that most pushes cut nothing.
  if #text > limit * 5 / 4 then text = string.match(string.sub(text, 1, limit + 1), '^(.*)\n') or '' end
  if text ~= old then redis.call('HSET', KEYS[2], ARGV[at], text) end
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
  redis.call('HDEL', KEYS[3], ARGV[6])
  local runs = redis.call('HKEYS', KEYS[3])
  table.sort(runs)
  for at = 1, #runs - tonumber(ARGV[5]) do redis.call('HDEL', KEYS[3], runs[at]) end
end
return 1
