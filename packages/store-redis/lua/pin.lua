-- Notes that a fork reads a stream: it is kept, and not trimmed, as long as the fork is there. No use of the stream: its ttl runs on.
--
-- KEYS: 1-2 see include/head.lua; 3 = pins, a hash of a fork's incarnation to the time and the fork's id, with ';' between them.
-- ARGV: 1-3 see include/head.lua; 4 = incarnation of the fork; 5 = its id.
-- Returns { 0, head, time of the pin }.
-- Negative codes: { -1 } no such stream; { -9 } it is kept for its forks only; { -2, next position } the server lost acknowledged records.
-- @include head

local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
local base, forks = forking(h)
if call('HSETNX', KEYS[3], ARGV[4], now .. ';' .. ARGV[5]) == 1 then setForking(h, base, forks + 1, false) end
call('PERSIST', META)
call('PERSIST', LOG)
return { 0, public(h), now }
