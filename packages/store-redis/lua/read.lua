-- Reads a page of records together with the head they belong to.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-3 see include/head.lua; 4 = first position; 5 = most records; 6 = payload bytes after which to stop; 7 = incarnation to read for
--   a fork of it, also when it has expired or is kept for its forks only, without restarting its ttl; '' = none.
-- Returns { 0, head, entries, position of the first record in them }: the entries that hold the page, see append.lua; the first may begin
-- before it and the last may go beyond. None where the page begins before a fork's own records.
-- Negative codes: { -1 } no such stream; { -9 } kept for its forks only; { -2, next position } the server lost acknowledged records; { -3, first position } the
-- records wanted were trimmed; { -4 } records are missing that the head promises, because something else removed them.
-- @include head

local forFork = ARGV[7] ~= ''
local h
if forFork then
  h = stored()
  if h and h[I] ~= ARGV[7] then h = nil end
else
  h = living()
end
if not h then return absent() end
local nextPosition = tonumber(h[N])
if lost(h) then return { -2, nextPosition } end
if not forFork then touch(h) end
local position, limit, bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if position < tonumber(h[F]) then return { -3, tonumber(h[F]) } end
if position >= nextPosition or position < forking(h) then return { 0, public(h), {}, position } end

-- Most pages begin with an entry. One that does not begins within the entry before.
local entries = call('XRANGE', LOG, '0-' .. (position + 1), '+', 'COUNT', 1)
if not entries[1] or entries[1][1] ~= '0-' .. (position + 1) then
  entries = call('XREVRANGE', LOG, '0-' .. (position + 1), '-', 'COUNT', 1)
  if not entries[1] then return { -4 } end
end
local start = tonumber(sub(entries[1][1], 3)) - 1
local at, stop = start, math.min(nextPosition, position + limit)
local page, taken = {}, 0
while true do
  for index = 1, #entries do
    if at >= stop or taken >= bytes then break end
    if entries[index][1] ~= '0-' .. (at + 1) then return { -4 } end
    local entry = entries[index][2][2]
    page[#page + 1] = entry
    -- What lies before the page does not count.
    if at >= position then taken = taken + #entry - (string.find(entry, string.char(10), 1, true) or 0) end
    -- At least one, whatever the entry says: the caller finds out that it is damaged.
    at = at + (tonumber(match(entry, '^%d+;([1-9]%d*);')) or 1)
  end
  if at >= stop or taken >= bytes then break end
  -- Chunks, because XRANGE bounds the number of entries and not their size: each goes by what was seen, and trusts little of it at first.
  local byBytes, byRecords = (bytes - taken) * #page / math.max(taken, 1), (stop - at) * #page / (at - start)
  local chunk = math.max(1, math.ceil(math.min(256, #page, byBytes, byRecords)))
  entries = call('XRANGE', LOG, '0-' .. (at + 1), '+', 'COUNT', chunk)
  if #entries == 0 then return { -4 } end
end
return { 0, public(h), page, start }
