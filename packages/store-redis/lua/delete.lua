-- Deletes a stream with its records and its entry in the index.
--
-- KEYS: 1-2 see include/head.lua; 3 = shard of the index, only where it lies on the same server for certain.
-- ARGV: 1-3 see include/head.lua; 4 = the stream's member in the index.
-- Returns { 1, incarnation, origin or nil } when deleted, { 2 } when it is kept for its forks from now on, { 0 } when there was none.
-- Negative codes: none.
-- @include head

local h = living()
local origin = h and call('HGET', META, 'fo')
if h then leave(h) end
-- The index keeps what is held, so that it is found when its forks have gone without a word.
if KEYS[3] and not held then call('ZREM', KEYS[3], ARGV[4]) end
if not h then return { 0 } end
if held then return { 2 } end
return { 1, h[I], origin }
