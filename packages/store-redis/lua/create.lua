-- Creates a stream, or finds the one of the same configuration.
--
-- KEYS: 1-2 see include/head.lua; 3 = shard of the index, only where it lies on the same server for certain.
-- ARGV: 1-4 see include/head.lua; 5 = ms an ended stream is kept ('' = for ever); 6 = records to retain (0 = all);
--   7 = incarnation; 8 = content type; 9 = media type; 10 = time to live (see the meta hash), 11 = lease in ms, 12 = owner,
--   13 = token, 14 = end (JSON), each '' = none; 15 = the stream's member in the index; from 16 the first records, each as its attributes
--   (a line feed, or ';1;;', JSON and a line feed) and its payload.
-- Returns { 1, head } when created, { 0, head } when found.
-- Negative codes: { -2, next position } the server lost acknowledged records; { -5, head } another configuration or a higher token:
-- decideExisting in core tells which.
-- @include head

local life, token, ending = ARGV[10], ARGV[13], ARGV[14]
local h = living()
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

local count = (#ARGV - 15) / 2
-- What is left of a stream whose meta hash alone was evicted.
call('UNLINK', LOG)
for index = 16, #ARGV, 2 do call('XADD', LOG, '0-*', 'r', now .. ARGV[index] .. ARGV[index + 1]) end
local trimmed = math.max(tonumber(ARGV[6]) > 0 and count - ARGV[6] or 0, 0)
if trimmed > 0 then trim(trimmed) end
h = { ARGV[7], text(count), token == '' and '0' or token, text(trimmed), ARGV[9], false, false, false, false }
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
set(nil, 'c', ARGV[8])
set(nil, 'ca', now)
call('HSET', META, unpack(fields))
expire(h)
return { 1, public(h) }
