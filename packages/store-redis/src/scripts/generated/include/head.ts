// Generated from lua/include/head.lua by `npm run inline`. Do not edit.

/** lua/include/head.lua */
export const head: string = String.raw`local I, N, K, F, M, E, T, L, CR, X = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local GRACE_MS = 10000
local function text(number)
  return format('%.0f', number)
end
local function usualCounter(h)
  return 'n;' .. h[I] .. ';' .. h[K] .. (h[L] and ';' .. h[L] or '')
end
local function counterOf(h)
  local unusual = h[N] == '0' or h[F] ~= '0' or h[M] ~= 'application/json' or h[E] or h[T] or h[CR] or h[X]
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
  if base == 0 and forks == 0 and not kept then
    h[X] = false
    call('HDEL', META, 'x')
  else
    h[X] = text(base) .. ';' .. text(forks) .. (kept and ';1' or ';0')
    call('HSET', META, 'x', h[X])
  end
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
end`;
