-- Takes the pin of a fork back, and removes a stream that was kept for this fork alone.
--
-- KEYS: 1-2 see include/head.lua; 3 = pins, see pin.lua; 4 = shard of the index, only where it lies on the same server for certain.
-- ARGV: 1-3 see include/head.lua; 4 = incarnation of the stream; 5 = incarnation of the fork; 6 = the stream's member in the index.
-- Returns { 1, incarnation, origin or nil } when that removed the stream, else { 0 }. Negative codes: none.
-- @include head

local h = stored()
if not h or h[I] ~= ARGV[4] then return { 0 } end
local base, forks, kept = forking(h)
if call('HDEL', KEYS[3], ARGV[5]) == 1 then
  forks = math.max(forks - 1, 0)
  setForking(h, base, forks, kept)
end
if forks > 0 then return { 0 } end
if not kept then
  expire(h)
  return { 0 }
end
local origin = call('HGET', META, 'fo')
call('UNLINK', META, LOG, KEYS[3])
if KEYS[4] then call('ZREM', KEYS[4], ARGV[6]) end
return { 1, h[I], origin }
