-- When a version was published, ms. Stamps have one width; one of another kind is read part by part.
local function published(stamp)
  return tonumber(string.sub(stamp, 17, 31)) or tonumber(string.match(stamp, '^%d+%.(%d+)')) or 0
end
