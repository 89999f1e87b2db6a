-- Creates a stream, or finds the one of the same configuration.
--
-- KEYS: 1-2 see include/head.lua; 3 = shard of the index, only where it lies on the same server for certain.
-- ARGV: 1-4 see include/head.lua; 5 = ms an ended stream is kept ('' = for ever); 6 = records to retain (0 = all);
--   7 = incarnation; 8 = content type; 9 = media type; 10 = ttl in ms, 11 = expiry, 12 = lease in ms, 13 = owner, 14 = token,
--   15 = end (JSON), each '' = none; 16 = the stream's member in the index; from 17 the first records.
-- Returns { 1, head } when created, { 0, head } when found.
-- Negative codes: { -2, next position } the server lost acknowledged records; { -5, head } another configuration or a higher token:
-- decideExisting in core tells which.
-- @include head

local ttl, expiry, token, ending = ARGV[10], ARGV[11], ARGV[14], ARGV[15]
local h = living()
if KEYS[3] then call('ZADD', KEYS[3], 0, ARGV[16]) end

if h then
  if lost(h) then return { -2, tonumber(h[N]) } end
  touch(h)
  local other = h[M] ~= ARGV[9] or (h[TL] or '') ~= ttl or (h[X] or '') ~= expiry or (ending ~= '' and not h[E])
  if other or (token ~= '' and tonumber(token) < tonumber(h[K])) then return { -5, public(h) } end
  if token ~= '' and tonumber(token) > tonumber(h[K]) then
    h[K] = token
    call('HSET', META, 'k', token)
    call('HDEL', META, 'fn')
  end
  return { 0, public(h) }
end

local count = #ARGV - 16
-- What is left of a stream whose meta hash alone was evicted.
call('UNLINK', LOG)
for index = 1, count do call('XADD', LOG, '0-' .. index, 'r', now .. ARGV[16 + index]) end
h = { ARGV[7], ARGV[8], now, '0', text(count), false, false, false, false, false, '0', false, false, ARGV[9], false, false, now, false }
local fields = { 'i', h[I], 'c', h[C], 'ca', now, 'm', h[M], 'u', now }
local function set(index, name, value)
  if value == '' then return end
  h[index] = value
  fields[#fields + 1], fields[#fields + 2] = name, value
end
set(N, 'n', h[N])
local retained = tonumber(ARGV[6])
if retained > 0 and count > retained then
  h[F] = text(count - retained)
  call('XTRIM', LOG, 'MINID', '~', '0-' .. text(count - retained + 1))
end
set(F, 'f', h[F])
set(K, 'k', token == '' and '0' or token)
set(TL, 'tl', ttl)
set(X, 'x', expiry)
if ARGV[12] ~= '' then
  set(L, 'l', ARGV[12])
  set(B, 'b', '0')
end
set(O, 'o', ARGV[13])
set(E, 'e', ending)
if ending ~= '' and ARGV[5] ~= '' then set(RX, 'rx', text(nowMs + ARGV[5])) end
call('HSET', META, unpack(fields))
expire(h)
return { 1, public(h) }
