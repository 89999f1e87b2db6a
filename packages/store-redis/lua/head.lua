-- Reads the head of a stream, and one producer's state where asked for.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-3 see include/head.lua; 4 = '1' to restart a sliding ttl, else ''; 5 = producer id, '' = none.
-- Returns { 0, head, state of the producer as 'epoch:next sequence' or nil }.
-- Negative codes: { -1 } no such stream; { -9 } kept for its forks only; { -2, next position } the server lost acknowledged records.
-- @include head

local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
if ARGV[4] == '1' then touch(h) end
return { 0, public(h), ARGV[5] ~= '' and call('HGET', META, 'p:' .. ARGV[5]) or false }
