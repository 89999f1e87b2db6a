// Generated from lua/ by `npm run inline`. Do not edit.

import type { RedisScript } from './redis-script.ts';

/** lua/append.lua */
export const appendScript: RedisScript = {
  name: 'append',
  sha: '81acce5a69f809791ee42cacdf025f0ef4c8ea37',
  source: `local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
local PUBLIC = X
local GRACE_MS = 10000
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)
local function text(number)
  return format('%.0f', number)
end
local function wake()
  call('SPUBLISH', CHANNEL, '')
end
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
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end
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
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
local band, byte, match = bit.band, string.byte, string.match
local h = living()
if not h then return { -1 } end
if lost(h) then return { -2, tonumber(h[N]) } end
touch(h)
local nextPosition, token, ended, streamSeq = tonumber(h[N]), tonumber(h[K]), h[E], h[Q]
local foreign = (h[M] == 'application/json' or string.sub(h[M], -5) == '+json') and 128 or 64
local producers, written, results, regressions = {}, {}, {}, {}
local given, stored = 0, false
local function producerOf(id)
  local state = producers[id]
  if state == nil then
    local value = call('HGET', META, 'p:' .. id)
    if value then
      local epoch, nextSeq = match(value, '^(%d+):(%d+)$')
      state = { tonumber(epoch), tonumber(nextSeq) }
    else
      state = false
    end
    producers[id] = state
  end
  return state
end
local function follows(a, b)
  for index = 1, math.min(#a, #b) do
    local x, y = byte(a, index), byte(b, index)
    if x ~= y then return y > x end
  end
  return #b > #a
end
local at, last = 7, #ARGV
while at <= last do
  local item = ARGV[at]
  at = at + 1
  if byte(item) == 84 then
    given = tonumber(string.sub(item, 2))
    if given > token then token = given end
  else
    local count, flags, seq, epoch, expected = tonumber(item), 64, nil, nil, nil
    local id, ending, media, ordinal
    if not count then
      count, flags, seq, epoch, expected = match(item, '^(%d+),(%d+),(%d*),(%d*),(%d*)$')
      count, flags, seq, epoch, expected = tonumber(count), tonumber(flags), tonumber(seq), tonumber(epoch), tonumber(expected)
      if band(flags, 1) ~= 0 then id, at = ARGV[at], at + 1 end
      if band(flags, 4) ~= 0 then ending, at = ARGV[at], at + 1 end
      if band(flags, 8) ~= 0 then media, at = ARGV[at], at + 1 end
      if band(flags, 32) ~= 0 then ordinal, at = ARGV[at], at + 1 end
    end
    local result
    local skipped, expectedSeq = 0, 0
    local size = band(flags, 2) ~= 0 and 1 or count + (ending and 1 or 0)
    if given < token then
      result = '8,' .. text(token)
    elseif id then
      local known = producerOf(id)
      if known and epoch < known[1] then
        result = '2,' .. text(known[1])
      else
        if known and known[1] == epoch then expectedSeq = known[2] end
        skipped = math.min(max(expectedSeq - seq, 0), size)
        if skipped == size then result = '1,' .. text(expectedSeq) end
      end
    end
    if not result then
      if ended then
        result = '3'
      elseif (media and media ~= h[M]) or band(flags, foreign) ~= 0 then
        result = '4'
      elseif id and seq > expectedSeq then
        result = '5,' .. text(expectedSeq)
      elseif ordinal and streamSeq and not follows(streamSeq, ordinal) then
        result = '6'
        regressions[#regressions + 1] = streamSeq
      elseif expected and expected ~= nextPosition then
        result = '7,' .. text(nextPosition)
      else
        result = '0,' .. text(nextPosition) .. ',' .. text(skipped)
        stored = true
        for index = at + skipped, at + count - 1 do
          nextPosition = nextPosition + 1
          call('XADD', LOG, '0-' .. nextPosition, 'r', now .. ARGV[index])
        end
        if id then
          if not producers[id] or not producers[id].written then written[#written + 1] = id end
          producers[id] = { epoch, seq + size, written = true }
        end
        if ending then ended = ending end
        if ordinal then streamSeq = ordinal end
      end
    end
    results[#results + 1] = result
    at = at + count
  end
end
local raised = token > tonumber(h[K])
if stored or raised then
  local closing = ended ~= h[E]
  local fields = { 'n', text(nextPosition) }
  if raised then
    fields[#fields + 1], fields[#fields + 2] = 'k', text(token)
    call('HDEL', META, 'fn')
    h[K] = text(token)
  end
  if closing then
    fields[#fields + 1], fields[#fields + 2] = 'e', ended
    h[E] = ended
    if ARGV[5] ~= '' then
      h[RX] = text(nowMs + ARGV[5])
      fields[#fields + 1], fields[#fields + 2] = 'rx', h[RX]
    end
  end
  if streamSeq ~= h[Q] then fields[#fields + 1], fields[#fields + 2] = 'q', streamSeq end
  local retained = tonumber(ARGV[6])
  if retained > 0 and nextPosition - retained > tonumber(h[F]) then
    h[F] = text(nextPosition - retained)
    fields[#fields + 1], fields[#fields + 2] = 'f', h[F]
    call('XTRIM', LOG, 'MINID', '~', '0-' .. text(nextPosition - retained + 1))
  end
  for index = 1, #written do
    local id = written[index]
    fields[#fields + 1], fields[#fields + 2] = 'p:' .. id, text(producers[id][1]) .. ':' .. text(producers[id][2])
    if #fields >= 1000 then
      call('HSET', META, unpack(fields))
      fields = { 'n', text(nextPosition) }
    end
  end
  call('HSET', META, unpack(fields))
  if closing or h[TL] or h[X] then expire(h) end
  if closing or text(nextPosition) ~= h[N] then wake() end
  h[N] = text(nextPosition)
end
return { 0, public(h), table.concat(results, ';'), regressions }`,
};

/** lua/create.lua */
export const createScript: RedisScript = {
  name: 'create',
  sha: '5733fe1083de8cada0d95de1bbff37a3c199aa62',
  source: `local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
local PUBLIC = X
local GRACE_MS = 10000
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)
local function text(number)
  return format('%.0f', number)
end
local function wake()
  call('SPUBLISH', CHANNEL, '')
end
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
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end
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
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
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
return { 1, public(h) }`,
};

/** lua/delete.lua */
export const deleteScript: RedisScript = {
  name: 'delete',
  sha: '6b5584d34dc4b0fd4e59892bd8d9cbdaa61bfc10',
  source: `local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
local PUBLIC = X
local GRACE_MS = 10000
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)
local function text(number)
  return format('%.0f', number)
end
local function wake()
  call('SPUBLISH', CHANNEL, '')
end
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
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end
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
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
local h = living()
if KEYS[3] then call('ZREM', KEYS[3], ARGV[5]) end
if not h then return { 0 } end
call('UNLINK', META, LOG)
wake()
return { 1 }`,
};

/** lua/head.lua */
export const headScript: RedisScript = {
  name: 'head',
  sha: '7fd7bbe73c1566a1abf594020b151dedbf08fce4',
  source: `local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
local PUBLIC = X
local GRACE_MS = 10000
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)
local function text(number)
  return format('%.0f', number)
end
local function wake()
  call('SPUBLISH', CHANNEL, '')
end
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
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end
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
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
local h = living()
if not h then return { -1 } end
if lost(h) then return { -2, tonumber(h[N]) } end
if ARGV[5] == '1' then touch(h) end
return { 0, public(h), ARGV[6] ~= '' and call('HGET', META, 'p:' .. ARGV[6]) or false }`,
};

/** lua/mark.lua */
export const markScript: RedisScript = {
  name: 'mark',
  sha: '75b25d08827b955287419f9886622f1c750ec58f',
  source: `local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
local PUBLIC = X
local GRACE_MS = 10000
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)
local function text(number)
  return format('%.0f', number)
end
local function wake()
  call('SPUBLISH', CHANNEL, '')
end
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
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end
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
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
local h = living()
if not h then return { -1 } end
if lost(h) then return { -2, tonumber(h[N]) } end
touch(h)
local kind = ARGV[5]
if kind == 'cancel' then
  if not h[E] and not h[CR] then
    h[CR] = now .. ARGV[6]
    call('HSET', META, 'cr', h[CR])
    wake()
  end
  return { 0, public(h) }
end
local token, current = tonumber(ARGV[6]), tonumber(h[K])
if kind == 'lease' then
  if token < current then return { -8, public(h) } end
  if not h[E] then
    local duration = ARGV[7]
    if duration == '' then duration = h[L] or 'release' end
    if duration == 'release' then
      call('HDEL', META, 'l', 'b')
      h[L], h[B] = false, false
    else
      h[L], h[B] = duration, text((h[B] or 0) + 1)
      call('HSET', META, 'l', h[L], 'b', h[B])
    end
  end
  return { 0, public(h) }
end
if token > current then
  h[K] = ARGV[6]
  call('HSET', META, 'k', ARGV[6], 'fn', ARGV[7])
elseif token ~= current or h[FN] ~= ARGV[7] then
  return { -8, public(h) }
end
return { 0, public(h) }`,
};

/** lua/read.lua */
export const readScript: RedisScript = {
  name: 'read',
  sha: '2d292052e1188ba0c69a103062f6a62aa40a1024',
  source: `local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
local PUBLIC = X
local GRACE_MS = 10000
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)
local function text(number)
  return format('%.0f', number)
end
local function wake()
  call('SPUBLISH', CHANNEL, '')
end
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
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end
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
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
local h = living()
if not h then return { -1 } end
local nextPosition = tonumber(h[N])
if lost(h) then return { -2, nextPosition } end
touch(h)
local position, limit, bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if position < tonumber(h[F]) then return { -3, tonumber(h[F]) } end
local records, taken = {}, 0
local stop = math.min(nextPosition, position + limit)
local chunk = 16
while position < stop and taken < bytes do
  local wanted = math.min(chunk, stop - position)
  local entries = call('XRANGE', LOG, '0-' .. (position + 1), '+', 'COUNT', wanted)
  if #entries ~= wanted or entries[1][1] ~= '0-' .. (position + 1) or entries[wanted][1] ~= '0-' .. (position + wanted) then
    return { -4 }
  end
  for index = 1, wanted do
    if taken >= bytes then break end
    local record = entries[index][2][2]
    records[#records + 1] = record
    taken = taken + #record - string.find(record, string.char(10), 1, true)
  end
  position = position + wanted
  chunk = max(1, math.min(256, math.ceil((bytes - taken) * #records / max(taken, 1))))
end
return { 0, public(h), records }`,
};

/** lua/sync.lua */
export const syncScript: RedisScript = {
  name: 'sync',
  sha: '3d8e74eaba17bacb21ab9c23a21a36c117c3ec14',
  source: `local call, format, floor, max = redis.call, string.format, math.floor, math.max
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]
local I, C, CA, F, N, E, CR, L, B, O, K, TL, X, M, Q, FN, U, RX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
local PUBLIC = X
local GRACE_MS = 10000
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = format('%.0f', time[1] * 1000 + floor(time[2] / 1000))
end
local nowMs = tonumber(now)
local function text(number)
  return format('%.0f', number)
end
local function wake()
  call('SPUBLISH', CHANNEL, '')
end
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
local function lost(h)
  return h[I] == ARGV[3] and h[N] + (h[E] and 1 or 0) < tonumber(ARGV[4])
end
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
local function touch(h)
  if not h[TL] then return end
  h[U] = now
  call('HSET', META, 'u', now)
  expire(h)
end
local function public(h)
  local fields = {}
  for index = 1, PUBLIC do fields[index] = h[index] end
  return fields
end
local h = living()
if not h then return { -1 } end
if lost(h) then return { -2, tonumber(h[N]) } end
call('HINCRBY', META, 's', 1)
return { 0 }`,
};
