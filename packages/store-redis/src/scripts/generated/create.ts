// Generated from lua/create.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';

/** lua/create.lua */
export const createScript: RedisScript = {
  name: 'create',
  sha: 'b0b4cef9e9d28af35eed8c8fa488d0c1812a5ba4',
  source: String.raw`local call, byte, format, match, sub = redis.call, string.byte, string.format, string.match, string.sub
local META, LOG = KEYS[1], KEYS[2]
local incarnation, length = ARGV[2], ARGV[3]
local now
if byte(ARGV[1]) == 59 then
  local time = call('TIME')
  now = time[1] .. sub('00000' .. time[2], -6, -4)
else
  now = match(ARGV[1], '^%d+')
end
local I, N, K, F, M, E, T, L, CR, X = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local GRACE_MS = 10000
local function text(number)
  return format('%.0f', number)
end
local function usualCounter(h)
  return 'n;' .. h[I] .. ';' .. h[K] .. ((h[L] or h[F] ~= '0') and ';l' or '')
end
local function counterOf(h)
  local unusual = h[N] == '0' or h[M] ~= 'application/json' or h[E] or h[T] or h[CR] or h[X]
  return unusual and 'n' or usualCounter(h)
end
local function recount(h)
  local counter = counterOf(h)
  if counter == h.counter then return end
  call('HSET', META, counter, h[N])
  call('HDEL', META, h.counter)
  h.counter = counter
end
local function forking(h)
  if not h[X] then return 0, 0, false end
  local base, forks, kept = match(h[X], '^(%d+);(%d+);(%d)$')
  return tonumber(base), tonumber(forks), kept == '1'
end
local function setForking(h, base, forks, kept)
  h[X] = text(base) .. ';' .. text(forks) .. (kept and ';1' or ';0')
  call('HSET', META, 'x', h[X])
  recount(h)
end
local function stored()
  local h = call('HMGET', META, 'i', 'n', 'k', 'f', 'm', 'e', 't', 'l', 'cr', 'x')
  if not h[I] then return nil end
  h.counter = 'n'
  if not h[N] then
    h.counter = usualCounter(h)
    h[N] = call('HGET', META, h.counter)
  end
  return h
end
local function kept()
  local keepMs, records = match(ARGV[1], ';(%d*);(%d+)$')
  return keepMs, tonumber(records)
end
local held = false
local function leave(h)
  local base, forks = forking(h)
  held = forks > 0
  if held then setForking(h, base, forks, true) else call('UNLINK', META, LOG) end
  call('SPUBLISH', LOG, '')
end
local function living()
  local h = stored()
  if not h then return nil end
  if h[X] then
    local _, _, kept = forking(h)
    if kept then
      held = true
      return nil
    end
  end
  local limit = h[T] and tonumber(sub(h[T], 2))
  if limit and sub(h[T], 1, 1) == 's' then limit = limit + call('HGET', META, 'u') end
  if limit and tonumber(now) >= limit then
    leave(h)
    return nil
  end
  return h
end
local function absent()
  return { held and -9 or -1 }
end
local function lost(h)
  return h[I] == incarnation and h[N] + (h[E] and 1 or 0) < tonumber(length)
end
local function expire(h)
  local _, forks = forking(h)
  if forks > 0 then return end
  local left
  if h[T] then
    left = tonumber(sub(h[T], 2)) + GRACE_MS
    if sub(h[T], 1, 1) == 'a' then left = left - now end
  end
  local removal = h[E] and call('HGET', META, 'rx')
  if removal and (not left or removal - now < left) then left = removal - now end
  if not left then return end
  left = text(math.max(left, 1))
  call('PEXPIRE', META, left)
  call('PEXPIRE', LOG, left)
end
local function trim(position)
  local entry = call('XREVRANGE', LOG, '0-' .. (position + 1), '-', 'COUNT', 1)[1]
  if entry then call('XTRIM', LOG, 'MINID', '~', entry[1]) end
end
local function touch(h)
  if not h[T] or sub(h[T], 1, 1) ~= 's' then return end
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local counters = h[N] .. ';' .. h[F] .. ';' .. h[K] .. ';' .. (h[L] or '')
  local known = h[I] == incarnation
  if known and not h[E] and not h[CR] then return counters end
  return { counters, h[E], h[CR], not known and call('HMGET', META, 'i', 'c', 'ca', 'o', 't', 'fo') }
end
local life, token, ending = ARGV[7], ARGV[10], ARGV[11]
local only, origin = ARGV[13], ARGV[14]
local h = living()
if only ~= '' and not (h and h[I] == only) then return absent() end
if not h and held then return { -9 } end
if origin ~= '' and (h or tonumber(now) > tonumber(ARGV[17])) then return { -6 } end
if KEYS[3] then call('ZADD', KEYS[3], 0, ARGV[12]) end
if h then
  if lost(h) then return { -2, tonumber(h[N]) } end
  touch(h)
  local other = h[M] ~= ARGV[6] or (h[T] or '') ~= life or (ending ~= '' and not h[E])
  if other or (token ~= '' and tonumber(token) < tonumber(h[K])) then return { -5, public(h) } end
  if token ~= '' and tonumber(token) > tonumber(h[K]) then
    h[K] = token
    call('HSET', META, 'k', token)
    call('HDEL', META, 'fn')
    recount(h)
  end
  return { 0, public(h) }
end
local base, first = tonumber(ARGV[15]), tonumber(ARGV[16])
local count = (#ARGV - 17) / 2
local nextPosition = base + count
call('UNLINK', LOG)
for index = 1, count do
  call('XADD', LOG, '0-' .. text(base + index), 'r', now .. ARGV[16 + 2 * index] .. ARGV[17 + 2 * index])
end
local keepMs, retained = kept()
if retained > 0 and nextPosition - retained > first then first = nextPosition - retained end
if first > base then trim(first) end
h = {
  ARGV[4],
  text(nextPosition),
  token == '' and '0' or token,
  text(first),
  ARGV[6],
  ending ~= '' and ending,
  life ~= '' and life,
  ARGV[8] ~= '' and ARGV[8] .. ';0',
  false,
  base > 0 and text(base) .. ';0;0',
}
local fields = { counterOf(h), h[N], 'i', h[I], 'k', h[K], 'f', h[F], 'm', h[M] }
local function set(name, value)
  fields[#fields + 1], fields[#fields + 2] = name, value
end
if h[E] then
  set('e', h[E])
  if keepMs ~= '' then set('rx', text(now + keepMs)) end
end
if h[T] then
  set('t', h[T])
  set('u', now)
end
if h[L] then set('l', h[L]) end
if ARGV[9] ~= '' then set('o', ARGV[9]) end
if origin ~= '' then set('fo', origin) end
if h[X] then set('x', h[X]) end
set('c', ARGV[5])
set('ca', now)
call('HSET', META, unpack(fields))
expire(h)
return { 1, public(h) }`,
};
