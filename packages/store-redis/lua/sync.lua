-- Writes something to the stream's server, so that a WAIT on the same connection covers everything written before.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-3 see include/head.lua.
-- Returns { 0 }. Negative codes: { -1 } no such stream; { -9 } kept for its forks only; { -2, next position } the server lost acknowledged records.
-- @include head

local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
call('HINCRBY', META, 's', 1)
return { 0 }
