-- A usual append, see include/usual-append.lua, without a producer.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-2 see include/usual-append.lua; from 3 the JSON texts.
-- Returns the next position; the texts were stored before it.
-- Negative codes: none, but nil where append.lua has to decide.
local at = 3
local sequence, epoch, id
-- @include usual-append
