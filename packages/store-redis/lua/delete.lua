-- Deletes a stream with its records and its entry in the index.
--
-- KEYS: 1-2 see include/head.lua; 3 = shard of the index, only where it lies on the same server for certain.
-- ARGV: 1-4 see include/head.lua; 5 = the stream's member in the index.
-- Returns { 1 } when deleted, { 0 } when there was none. Negative codes: none.
-- @include head

local h = living()
if KEYS[3] then call('ZREM', KEYS[3], ARGV[5]) end
if not h then return { 0 } end
call('UNLINK', META, LOG)
call('SPUBLISH', CHANNEL, '')
return { 1 }
