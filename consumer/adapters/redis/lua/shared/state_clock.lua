-- The server's time, ms, for the state of a subject. Where it is before what was last seen here, the clock was set back
-- (or a failover led to a server that is behind): every moment goes back with it, so that none lies further ahead than
-- when it was last seen, and a lease never ends early. Epochs only grow all the same.
local function state_time(state)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local fields = redis.call('HMGET', state, 'seen', 'due', 'until', 'survey', 'surveying', 'hold', 'first', 'kept')
  local seen = tonumber(fields[1])
  if seen and now < seen then
    for at, name in ipairs({'due', 'until', 'survey', 'surveying', 'hold', 'first', 'kept'}) do
      local moment = tonumber(fields[at + 1])
      if moment and moment > 0 then
        redis.call('HSET', state, name, string.format('%.0f', math.max(moment - seen + now, 1)))
      end
    end
  end
  if seen ~= now then redis.call('HSET', state, 'seen', string.format('%.0f', now)) end
  return now
end
