-- A usual append, see include/usual-append.lua, of the next records of a producer.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-2 see include/usual-append.lua; 3 = sequence of the first text ',' epoch ',' producer id, which JSON quotes as it is; from 4 the
--   JSON texts.
-- Returns the next position; the texts were stored before it.
-- Negative codes: none, but nil where append.lua has to decide.
local at = 4
local sequence, epoch, id = string.match(ARGV[3], '^(%d+),(%d+),(.*)$')
if redis.call('HGET', KEYS[1], 'p:' .. id) ~= epoch .. ':' .. sequence then return false end
-- @include usual-append
