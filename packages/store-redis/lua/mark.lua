-- Changes a mark in the head of a stream: cancel request, lease or fencing token.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-3 see include/head.lua; 4 = type; then
--   'cancel': 5 = '' or ';' and the reason.
--   'lease': 5 = token; 6 = duration in ms, '' = as before, 'release' = none.
--   'fence': 5 = token; 6 = nonce.
-- Returns { 0, head after the mark }.
-- Negative codes: { -1 } no such stream; { -9 } kept for its forks only; { -2, next position } the server lost acknowledged records; { -8, head } the token was
-- overtaken.
-- @include head

local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
touch(h)

local kind = ARGV[4]
if kind == 'cancel' then
  if not h[E] and not h[CR] then
    h[CR] = now .. ARGV[5]
    call('HSET', META, 'cr', h[CR])
    recount(h)
    call('SPUBLISH', LOG, '')
  end
  return { 0, public(h) }
end

local token, current = tonumber(ARGV[5]), tonumber(h[K])
if kind == 'lease' then
  if token < current then return { -8, public(h) } end
  if h[E] then return { 0, public(h) } end
  local before, beat = match(h[L] or '', '^(%d+);(%d+)$')
  local duration = ARGV[6]
  if duration == '' then duration = before or 'release' end
  if duration == 'release' then
    h[L] = false
    call('HDEL', META, 'l')
  else
    h[L] = duration .. ';' .. text((beat or 0) + 1)
    call('HSET', META, 'l', h[L])
  end
  recount(h)
  return { 0, public(h) }
end

if token > current then
  h[K] = ARGV[5]
  call('HSET', META, 'k', ARGV[5], 'fn', ARGV[6])
  recount(h)
elseif token ~= current or call('HGET', META, 'fn') ~= ARGV[6] then
  return { -8, public(h) }
end
return { 0, public(h) }
