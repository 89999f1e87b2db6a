-- Reads a page of records together with the head they belong to.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-4 see include/head.lua; 5 = first position; 6 = most records; 7 = payload bytes after which to stop.
-- Returns { 0, head, records }; the records follow each other from the first position on.
-- Negative codes: { -1 } no such stream; { -2, next position } the server lost acknowledged records; { -3, first position } the
-- records wanted were trimmed; { -4 } records are missing that the head promises, because something else removed them.
-- @include head

local h = living()
if not h then return { -1 } end
local nextPosition = tonumber(h[N])
if lost(h) then return { -2, nextPosition } end
touch(h)
local position, limit, bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if position < tonumber(h[F]) then return { -3, tonumber(h[F]) } end

local records, taken = {}, 0
local stop = math.min(nextPosition, position + limit)
-- Chunks, because XRANGE bounds the number of records and not their size: the first is small, the next go by what was seen.
local chunk = 16
while position < stop and taken < bytes do
  local wanted = math.min(chunk, stop - position)
  local entries = call('XRANGE', LOG, '0-' .. (position + 1), '+', 'COUNT', wanted)
  if #entries ~= wanted or entries[1][1] ~= '0-' .. (position + 1) or entries[wanted][1] ~= '0-' .. (position + wanted) then
    return { -4 }
  end
  for index = 1, wanted do
    if taken >= bytes then break end
    local record = entries[index][2][2]
    records[#records + 1] = record
    taken = taken + #record - string.find(record, string.char(10), 1, true)
  end
  position = position + wanted
  chunk = math.max(1, math.min(256, math.ceil((bytes - taken) * #records / math.max(taken, 1))))
end
return { 0, public(h), records }
