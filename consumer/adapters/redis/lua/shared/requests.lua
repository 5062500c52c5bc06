-- Manual syncs that wait: each by its id in the hash `waiting`, what they come to together in the field `request` of
-- the state (the only one that former versions know), and which were served in the hash `served`.
-- `domain.planning.request.together` says what several come to.
local function quoted(ids)
  local sorted = {}
  for id in pairs(ids) do sorted[#sorted + 1] = id end
  table.sort(sorted)
  for at, id in ipairs(sorted) do sorted[at] = cjson.encode(id) end
  return '[' .. table.concat(sorted, ',') .. ']'
end

local function ids_of(list)
  return type(list) == 'table' and list or {}
end

local function sum_up(state, waiting)
  local whole, sponsors, sessions, speakers, newest = false, false, {}, {}, nil
  for _, row in ipairs(redis.call('HVALS', waiting)) do
    local asked = cjson.decode(row)
    local chosen, people = ids_of(asked.session_ids), ids_of(asked.speaker_ids)
    local selected = #chosen + #people > 0
    local stamp = asked.stamp or ''
    if asked.scope == 'selected_and_sponsors' or (asked.scope ~= 'agenda' and not selected) then sponsors = true end
    if not selected and asked.scope ~= 'sponsors' then whole = true end
    for _, id in ipairs(chosen) do sessions[id] = true end
    for _, id in ipairs(people) do speakers[id] = true end
    if not newest or stamp > newest[1] or (stamp == newest[1] and asked.id > newest[2]) then
      newest = {stamp, asked.id}
    end
  end
  if not newest then
    redis.call('HDEL', state, 'request', 'merged')
    return false
  end
  if whole then sessions, speakers = {}, {} end
  local scope = 'agenda'
  if sponsors then
    scope = whole and 'all' or (next(sessions) or next(speakers)) and 'selected_and_sponsors' or 'sponsors'
  end
  local request = '{"id":' .. cjson.encode(newest[2]) .. ',"scope":"' .. scope .. '","session_ids":' .. quoted(sessions)
    .. ',"speaker_ids":' .. quoted(speakers) .. '}'
  redis.call('HSET', state, 'request', request, 'merged', request)
  return request
end

-- Keeps which requests were served: the newest 2,000 at least, and up to which stamp older ones were. What is between
-- the two is served too.
local function serve(state, served, id, stamp)
  redis.call('HSET', served, id, stamp)
  if redis.call('HLEN', served) <= 4000 then return end
  local known, ids = {}, redis.call('HGETALL', served)
  for at = 1, #ids, 2 do known[#known + 1] = {ids[at + 1], ids[at]} end
  table.sort(known, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  local floor = redis.call('HGET', state, 'floor') or ''
  for at = 1, #known - 2000 do
    redis.call('HDEL', served, known[at][2])
    if known[at][1] > floor then floor = known[at][1] end
  end
  redis.call('HSET', state, 'floor', floor)
end

-- What a former version did to the one request it knows, put into the hash: it asked, or it served all.
-- Returns the request that waits, JSON, or false.
local function gather(state, waiting, served)
  local fields = redis.call('HMGET', state, 'request', 'merged', 'request_stamp')
  if fields[1] == fields[2] then return fields[1] end
  if fields[1] then
    local asked = cjson.decode(fields[1])
    if redis.call('HEXISTS', waiting, asked.id) == 0 then
      local row = string.gsub(fields[1], '}%s*$', ',"stamp":' .. cjson.encode(fields[3] or '') .. '}')
      redis.call('HSET', waiting, asked.id, row)
    end
  else
    for _, row in ipairs(redis.call('HVALS', waiting)) do
      local asked = cjson.decode(row)
      serve(state, served, asked.id, asked.stamp or '')
    end
    redis.call('DEL', waiting)
  end
  return sum_up(state, waiting)
end
