// Generated from lua/read.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';

/** lua/read.lua */
export const readScript: RedisScript = {
  name: 'read',
  sha: '600ef26b7594d9587539f080f13ef879d7224f12',
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
local forFork = ARGV[7] ~= ''
local h
if forFork then
  h = stored()
  if h and h[I] ~= ARGV[7] then h = nil end
else
  h = living()
end
if not h then return absent() end
local nextPosition = tonumber(h[N])
if lost(h) then return { -2, nextPosition } end
if not forFork then touch(h) end
local position, limit, bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if position < tonumber(h[F]) then return { -3, tonumber(h[F]) } end
if position >= nextPosition or position < forking(h) then return { 0, public(h), {}, position } end
local holder = call('XREVRANGE', LOG, '0-' .. (position + 1), '-', 'COUNT', 1)[1]
if not holder then return { -4 } end
local start = tonumber(sub(holder[1], 3)) - 1
local at, stop = start, math.min(nextPosition, position + limit)
local page, taken = {}, 0
local chunk = 4
while at < stop and taken < bytes do
  local entries = call('XRANGE', LOG, '0-' .. (at + 1), '+', 'COUNT', chunk)
  if #entries == 0 then return { -4 } end
  for index = 1, #entries do
    if at >= stop or taken >= bytes then break end
    if entries[index][1] ~= '0-' .. (at + 1) then return { -4 } end
    local entry = entries[index][2][2]
    page[#page + 1] = entry
    if at >= position then taken = taken + #entry - string.find(entry, string.char(10), 1, true) end
    at = at + (tonumber(match(entry, '^%d+;(%d+);')) or 1)
  end
  local byBytes, byRecords = (bytes - taken) * #page / math.max(taken, 1), (stop - at) * #page / (at - start)
  chunk = math.max(1, math.ceil(math.min(256, byBytes, byRecords)))
end
return { 0, public(h), page, start }`,
};
