-- The head of a stream, shared by all scripts.
--
-- KEYS[1] is the meta hash and KEYS[2] the log of one stream, whose name is also that of the channel that wakes readers. ARGV[1] is what
-- the store is set to: time in ms ('' = the server's own) ';' ms an ended stream is kept ('' = for ever) ';' records to retain (0 = all).
-- ARGV[2] and ARGV[3] are the incarnation and the length that the caller was told before ('' = nothing).
--
-- Fields of the meta hash: i incarnation, n next position (but see counterOf), k token, f first position, m media type, e end (JSON),
-- t time to live ('s' and a sliding ttl in ms, or 'a' and the time of expiry), l lease (ms ';' beat), cr cancel request (time, then
-- ';' and the reason), c content type, ca created at, o owner, q last stream sequence, fn fence nonce, u touched at,
-- rx removal of an ended stream at, s syncs, 'p:' .. producer = epoch ':' next sequence. Of forks and their sources also: fo origin (JSON),
-- x 'first own position;number of forks that read this stream;1 if it is kept for them only'.
--
-- A head is returned as text, 'next position;first position;token;lease', when the caller knows the incarnation and there is no more to
-- tell, else as a list of that text, end, cancel request, and { i, c, ca, o, t, fo } where the caller does not know the incarnation.
-- @include start

-- Places of the fields in a head.
local I, N, K, F, M, E, T, L, CR, X = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
-- Expiry is decided by the clock, to the millisecond; the keys themselves live this much longer.
local GRACE_MS = 10000

-- Numbers as text: tostring() would round what exceeds 14 digits.
local function text(number)
  return format('%.0f', number)
end

-- What the next position lies under while nothing about a stream is unusual. That this field is there tells the usual append of another
-- state, so that one command checks all of it, counts, and tells the result: see usual-append.lua.
local function usualCounter(h)
  return 'n;' .. h[I] .. ';' .. h[K] .. (h[L] and ';' .. h[L] or '')
end

-- The field in which the next position of a stream belongs. Whoever changes what this goes by has to call recount, or to write it there.
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

-- Position of a stream's first own record, number of forks that read it, whether it is kept for them only.
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

-- The head as a list of fields, false where there is none, and the field that counts; nil when there is no such key.
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

-- For how many ms an ended stream is kept ('' = for ever), and how many records are retained (0 = all). The time before them may have
-- fractions of a ms, which do not count.
local function kept()
  local keepMs, records = match(ARGV[1], ';(%d*);(%d+)$')
  return keepMs, tonumber(records)
end

-- True when the stream was deleted or has expired, and is kept for its forks.
local held = false

-- Removes a stream, unless forks read it.
local function leave(h)
  local base, forks = forking(h)
  held = forks > 0
  if held then setForking(h, base, forks, true) else call('UNLINK', META, LOG) end
  call('SPUBLISH', LOG, '')
end

-- The head of a stream that exists, else nil. An expired stream is removed on sight.
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

-- The answer where there is no such stream.
local function absent()
  return { held and -9 or -1 }
end

-- True when the server has less of this stream than it acknowledged before: it lost data.
local function lost(h)
  return h[I] == incarnation and h[N] + (h[E] and 1 or 0) < tonumber(length)
end

-- Lets Redis remove both keys when the stream expires, or when an ended one was kept long enough.
local function expire(h)
  local _, forks = forking(h)
  -- Forks still read it when it has expired.
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

-- Lets go of the entries before the one that holds this position.
local function trim(position)
  local entry = call('XREVRANGE', LOG, '0-' .. (position + 1), '-', 'COUNT', 1)[1]
  if entry then call('XTRIM', LOG, 'MINID', '~', entry[1]) end
end

-- Restarts a sliding ttl.
local function touch(h)
  if not h[T] or sub(h[T], 1, 1) ~= 's' then return end
  call('HSET', META, 'u', now)
  expire(h)
end

-- The head as the store gets it.
local function public(h)
  local counters = h[N] .. ';' .. h[F] .. ';' .. h[K] .. ';' .. (h[L] or '')
  local known = h[I] == incarnation
  if known and not h[E] and not h[CR] then return counters end
  return { counters, h[E], h[CR], not known and call('HMGET', META, 'i', 'c', 'ca', 'o', 't', 'fo') }
end
