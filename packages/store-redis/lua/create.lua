-- Creates a stream, or finds the one of the same configuration.
--
-- KEYS: 1-2 see include/head.lua; 3 = shard of the index, only where it lies on the same server for certain.
-- ARGV: 1-4 see include/head.lua; 5 = ms an ended stream is kept ('' = for ever); 6 = records to retain (0 = all);
--   7 = incarnation; 8 = content type; 9 = media type; 10 = time to live (see the meta hash), 11 = lease in ms, 12 = owner,
--   13 = token, 14 = end (JSON), each '' = none; 15 = the stream's member in the index; 16 = incarnation of the one stream that may be
--   found, and then none is created ('' = any); 17 = origin of a fork (JSON, '' = no fork); 18 = its first own position; 19 = first position of
--   its source; 20 = time after which it may not be created; from 21 the first records, each as its attributes (a line feed, or ';1;;',
--   JSON and a line feed) and its payload.
-- Returns { 1, head } when created, { 0, head } when found.
-- Negative codes: { -1 } the stream to find is not there; { -2, next position } the server lost acknowledged records; { -5, head } another
-- configuration or a higher token: decideExisting in core tells which; { -6 } a fork whose id is taken, or that comes too late; { -9 } the
-- stream of this id is kept for its forks only.
-- @include head

local life, token, ending = ARGV[10], ARGV[13], ARGV[14]
local only, origin = ARGV[16], ARGV[17]
local h = living()
if only ~= '' and not (h and h[I] == only) then return absent() end
if not h and held then return { -9 } end
if origin ~= '' and (h or tonumber(now) > tonumber(ARGV[20])) then return { -6 } end
if KEYS[3] then call('ZADD', KEYS[3], 0, ARGV[15]) end

if h then
  if lost(h) then return { -2, tonumber(h[N]) } end
  touch(h)
  local other = h[M] ~= ARGV[9] or (h[T] or '') ~= life or (ending ~= '' and not h[E])
  if other or (token ~= '' and tonumber(token) < tonumber(h[K])) then return { -5, public(h) } end
  if token ~= '' and tonumber(token) > tonumber(h[K]) then
    h[K] = token
    call('HSET', META, 'k', token)
    call('HDEL', META, 'fn')
  end
  return { 0, public(h) }
end

local base, first = tonumber(ARGV[18]), tonumber(ARGV[19])
local count = (#ARGV - 20) / 2
local nextPosition = base + count
-- What is left of a stream whose meta hash alone was evicted.
call('UNLINK', LOG)
for index = 1, count do
  call('XADD', LOG, '0-' .. text(base + index), 'r', now .. ARGV[19 + 2 * index] .. ARGV[20 + 2 * index])
end
local retained = tonumber(ARGV[6])
if retained > 0 and nextPosition - retained > first then first = nextPosition - retained end
if first > base then trim(first) end
h = { ARGV[7], text(nextPosition), token == '' and '0' or token, text(first), ARGV[9], false, false, false, false, false }
-- What every append asks for comes first: a small hash is searched from its start.
local fields = { 'i', h[I], 'n', h[N], 'k', h[K], 'f', h[F], 'm', h[M] }
local function set(index, name, value)
  if index then h[index] = value end
  fields[#fields + 1], fields[#fields + 2] = name, value
end
if ending ~= '' then
  set(E, 'e', ending)
  if ARGV[5] ~= '' then set(nil, 'rx', text(now + ARGV[5])) end
end
if life ~= '' then
  set(T, 't', life)
  set(nil, 'u', now)
end
if ARGV[11] ~= '' then set(L, 'l', ARGV[11] .. ';0') end
if ARGV[12] ~= '' then set(nil, 'o', ARGV[12]) end
if origin ~= '' then
  set(nil, 'fo', origin)
  if base > 0 then set(X, 'x', text(base) .. ';0;0') end
end
set(nil, 'c', ARGV[8])
set(nil, 'ca', now)
call('HSET', META, unpack(fields))
expire(h)
return { 1, public(h) }
