-- The head of a stream, shared by all scripts.
--
-- KEYS[1] is the meta hash and KEYS[2] the log of one stream. ARGV[1] is the time in ms ('' = the server's own), ARGV[2] the
-- channel that wakes readers, ARGV[3] and ARGV[4] the incarnation and the length that the caller was told before ('' = nothing).
--
-- Fields of the meta hash: i incarnation, c content type, ca created at, f first position, n next position, e end (JSON),
-- cr cancel request (time, then ';' and the reason), l lease in ms, b beat, o owner, k token, tl ttl in ms, x expires at,
-- m media type, q last stream sequence, fn fence nonce, u touched at, rx removal of an ended stream at, s syncs,
-- 'p:' .. producer = epoch ':' next sequence.
local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
-- Fields up to X travel to the store.
local PUBLIC = X
-- Expiry is decided by the clock above, to the millisecond; the keys themselves live this much longer.
local GRACE_MS = 10000

local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)

-- Numbers as text: tostring() would round what exceeds 14 digits.
local function text(number)
  return format('%.0f', number)
end

local function wake()
  call('SPUBLISH', CHANNEL, '')
end

-- The head as a list of fields, false where there is none; nil when the stream does not exist. An expired stream is removed on sight.
local function living()
  local h = call('HMGET', META, 'i', 'c', 'ca', 'f', 'n', 'e', 'cr', 'l', 'b', 'o', 'k', 'tl', 'x', 'm', 'q', 'fn', 'u', 'rx')
  if not h[I] then return nil end
  if (h[X] and nowMs >= tonumber(h[X])) or (h[TL] and nowMs >= h[U] + h[TL]) then
    call('UNLINK', META, LOG)
    wake()
    return nil
  end
  return h
end

-- True when the server has less of this stream than it acknowledged before: it lost data.
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end

-- Lets Redis remove both keys when the stream expires, or when an ended one was kept long enough.
local function expire(h)
  local ms
  if h[X] then ms = h[X] - nowMs + GRACE_MS end
  if h[TL] then ms = h[TL] + GRACE_MS end
  if h[RX] and (not ms or h[RX] - nowMs < ms) then ms = h[RX] - nowMs end
  if not ms then return end
  ms = text(max(ms, 1))
  call('PEXPIRE', META, ms)
  call('PEXPIRE', LOG, ms)
end

-- Restarts a sliding ttl.
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end

-- The part of the head that the store gets.
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
