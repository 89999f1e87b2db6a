// Generated from lua/ by `npm run inline`. Do not edit.

import type { RedisScript } from './redis-script.ts';

/** lua/append.lua */
export const appendScript: RedisScript = {
  name: 'append',
  sha: '9479951cf6e12423ae84ad2cfc1bc44bfa9de78a',
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
local LINE_FEED, SEPARATOR = '\n', '\30'
local ENTRY_RECORDS, ENTRY_BYTES = 128, 16384
if ARGV[4] ~= '' then
  local count, at, last, usual = ARGV[4], 5, #ARGV, true
  local seq, epoch, id, attributes
  if not tonumber(count) then
    count, seq, epoch = match(count, '^(%d+),321,(%d+),(%d+),$')
    id, attributes, at = 'p:' .. ARGV[5], ARGV[6], 7
    usual = call('HGET', META, id) == epoch .. ':' .. seq
  end
  if usual and last > at then
    local bytes = 0
    for index = at, last do bytes = bytes + #ARGV[index] end
    usual = bytes <= ENTRY_BYTES and last - at < ENTRY_RECORDS
  end
  if usual then
    local after = call('HINCRBY', META, ARGV[2], count)
    local position = after - count
    if position > 0 and position >= tonumber(length) then
      local entry
      if id then
        entry = now .. ';' .. count .. ';' .. format('%.0f', seq - position) .. ';' .. attributes
      elseif at < last then
        entry = now .. ';' .. count .. ';;' .. LINE_FEED
      else
        entry = now .. LINE_FEED
      end
      entry = entry .. (at < last and table.concat(ARGV, SEPARATOR, at, last) or ARGV[at])
      if type(redis.pcall('XADD', LOG, 'NOMKSTREAM', format('0-%.0f', position + 1), 'r', entry)) == 'string' then
        if id then call('HSET', META, id, epoch .. ':' .. format('%.0f', seq + count)) end
        call('SPUBLISH', LOG, '')
        if byte(ARGV[2], -1) ~= 108 then return after end
        local more = call('HMGET', META, 'f', 'l')
        local token = match(ARGV[2], ';(%d+);l$')
        return { 0, format('%.0f', after) .. ';' .. more[1] .. ';' .. token .. ';' .. (more[2] or '') }
      end
    end
    if position > 0 then call('HINCRBY', META, ARGV[2], '-' .. count) else call('HDEL', META, ARGV[2]) end
  end
  incarnation = match(ARGV[2], '^n;(.*);%d+;?l?$')
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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
local band, min, max = bit.band, math.min, math.max
local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
touch(h)
local base, forks = forking(h)
local keepMs, retained = kept()
local first, token, ended = tonumber(h[N]), tonumber(h[K]), h[E]
local nextPosition, given = first, 0
local foreign = (h[M] == 'application/json' or sub(h[M], -5) == '+json') and 128 or 64
local streamSeq, streamSeqBefore
local producers, written, results, regressions = {}, {}, {}, {}
local stored, plain = false, true
local function producerOf(id)
  local state = producers[id]
  if state == nil then
    local epoch, nextSeq = match(call('HGET', META, 'p:' .. id) or '', '^(%d+):(%d+)$')
    state = epoch and { tonumber(epoch), tonumber(nextSeq) } or false
    producers[id] = state
  end
  return state
end
local function follows(a, b)
  for index = 1, min(#a, #b) do
    local x, y = byte(a, index), byte(b, index)
    if x ~= y then return y > x end
  end
  return #b > #a
end
local function put(entry, size)
  local id = '0-' .. (nextPosition + 1)
  local added
  if nextPosition == base then
    added = call('XADD', LOG, id, 'r', entry)
  else
    added = call('XADD', LOG, 'NOMKSTREAM', id, 'r', entry)
  end
  nextPosition = nextPosition + size
  return added
end
local function spell()
  local position = first
  for index = 1, #results do
    local count = results[index]
    results[index] = '0,' .. text(position) .. ',0'
    position = position + count
  end
  plain = false
end
local at, last = 5, #ARGV
if ARGV[4] ~= '' then
  at = 4
  given = tonumber(match(ARGV[2], ';(%d+);?l?$'))
  if given > token then token = given end
end
while at <= last do
  local item = ARGV[at]
  at = at + 1
  if byte(item) == 84 then
    given = tonumber(sub(item, 2))
    if given > token then token = given end
  else
    local count, flags, seq, epoch, expected = tonumber(item), 64, nil, nil, nil
    local id, ending, media, ordinal, attributes
    if not count then
      count, flags, seq, epoch, expected = match(item, '^(%d+),(%d+),(%d*),(%d*),(%d*)$')
      count, flags, seq, epoch, expected = tonumber(count), tonumber(flags), tonumber(seq), tonumber(epoch), tonumber(expected)
      if band(flags, 1) ~= 0 then id, at = ARGV[at], at + 1 end
      if band(flags, 4) ~= 0 then ending, at = ARGV[at], at + 1 end
      if band(flags, 8) ~= 0 then media, at = ARGV[at], at + 1 end
      if band(flags, 32) ~= 0 then ordinal, at = ARGV[at], at + 1 end
      if band(flags, 256) ~= 0 then attributes, at = ARGV[at], at + 1 end
      if ordinal and streamSeq == nil then
        streamSeqBefore = call('HGET', META, 'q')
        streamSeq = streamSeqBefore
      end
    end
    local whole, stride = band(flags, 2) ~= 0, band(flags, 512) ~= 0 and 2 or 1
    local result
    local skipped, expectedSeq = 0, 0
    local size = whole and 1 or count + (ending and 1 or 0)
    if given < token then
      result = '8,' .. text(token)
    elseif id then
      local known = producerOf(id)
      if known and epoch < known[1] then
        result = '2,' .. text(known[1])
      else
        if known and known[1] == epoch then expectedSeq = known[2] end
        skipped = min(max(expectedSeq - seq, 0), size)
        if skipped == size then result = '1,' .. text(expectedSeq) end
      end
    end
    if not result then
      if ended then
        result = '3,' .. text(skipped)
      elseif (media and media ~= h[M]) or band(flags, foreign) ~= 0 then
        result = '4,' .. text(skipped)
      elseif id and seq > expectedSeq then
        result = '5,' .. text(expectedSeq)
      elseif ordinal and streamSeq and not follows(streamSeq, ordinal) then
        result = '6'
        regressions[#regressions + 1] = streamSeq
      elseif expected and expected ~= nextPosition then
        result = '7,' .. text(nextPosition)
      else
        stored = true
        if plain and skipped > 0 then spell() end
        result = plain and count or '0,' .. text(nextPosition) .. ',' .. text(skipped)
        local sequence = id and (whole and '=' .. text(seq) or text(seq + skipped - nextPosition)) or ''
        local index, stop = at + skipped * stride, at + (count - 1) * stride
        while index <= stop do
          local upto, bytes = index, #ARGV[index]
          if stride == 1 and foreign == 128 then
            while upto < stop and upto - index < ENTRY_RECORDS - 1 and bytes + #ARGV[upto + 1] <= ENTRY_BYTES do
              upto = upto + 1
              bytes = bytes + #ARGV[upto]
            end
          end
          local size = upto - index + 1
          local line = now .. LINE_FEED
          if stride == 2 then
            upto = upto + 1
            line = now .. ';1;' .. sequence .. ';' .. ARGV[index]
            index = upto
          elseif size > 1 or attributes then
            line = now .. ';' .. size .. ';' .. sequence .. ';' .. (attributes or LINE_FEED)
          end
          if not put(line .. table.concat(ARGV, SEPARATOR, index, upto), size) then return { -4 } end
          index = upto + 1
        end
        if id then
          if not producers[id] or not producers[id].written then written[#written + 1] = id end
          producers[id] = { epoch, seq + size, written = true }
        end
        if ending then ended = ending end
        if ordinal then streamSeq = ordinal end
      end
    end
    if plain and result ~= count then spell() end
    results[#results + 1] = result
    at = at + count * stride
  end
end
local raised = token > tonumber(h[K])
if stored or raised then
  local closing = ended ~= h[E]
  h[N] = text(nextPosition)
  local fields = {}
  local function set(name, value)
    fields[#fields + 1], fields[#fields + 2] = name, value
  end
  if raised then
    h[K] = text(token)
    set('k', h[K])
    call('HDEL', META, 'fn')
  end
  if closing then
    h[E] = ended
    set('e', ended)
    if keepMs ~= '' then set('rx', text(now + keepMs)) end
  end
  if streamSeq ~= streamSeqBefore then set('q', streamSeq) end
  if retained > 0 and forks == 0 and nextPosition - retained > tonumber(h[F]) then
    h[F] = text(nextPosition - retained)
    set('f', h[F])
    trim(nextPosition - retained)
  end
  for index = 1, #written do
    local id = written[index]
    set('p:' .. id, text(producers[id][1]) .. ':' .. text(producers[id][2]))
    if #fields >= 1000 then
      call('HSET', META, unpack(fields))
      fields = {}
    end
  end
  local counter = counterOf(h)
  set(counter, h[N])
  call('HSET', META, unpack(fields))
  if counter ~= h.counter then call('HDEL', META, h.counter) end
  if closing or h[T] then expire(h) end
  if closing or nextPosition > first then call('SPUBLISH', LOG, '') end
end
return { 0, public(h), plain and '' or table.concat(results, ';'), regressions[1] and regressions }`,
};

/** lua/create.lua */
export const createScript: RedisScript = {
  name: 'create',
  sha: '1d0ed562620a04ac6f1eefb6209d50db11331e46',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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

/** lua/delete.lua */
export const deleteScript: RedisScript = {
  name: 'delete',
  sha: '522ee45a8b4c342361c3d09d9ff87b341de12960',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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
local h = living()
local origin = h and call('HGET', META, 'fo')
if h then leave(h) end
if KEYS[3] and not held then call('ZREM', KEYS[3], ARGV[4]) end
if not h then return { 0 } end
if held then return { 2 } end
return { 1, h[I], origin }`,
};

/** lua/head.lua */
export const headScript: RedisScript = {
  name: 'head',
  sha: '0f56bf52780f1c89b6d5d6becfcf4dcc2dc3d953',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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
local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
if ARGV[4] == '1' then touch(h) end
return { 0, public(h), ARGV[5] ~= '' and call('HGET', META, 'p:' .. ARGV[5]) or false }`,
};

/** lua/mark.lua */
export const markScript: RedisScript = {
  name: 'mark',
  sha: 'a81eb37e5d9b002881f7d7feafa873eae0c0f867',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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
return { 0, public(h) }`,
};

/** lua/pin.lua */
export const pinScript: RedisScript = {
  name: 'pin',
  sha: '7f99ca52ab810c1fe41256e4ab0dbf5736c19684',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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
local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
local base, forks = forking(h)
if call('HSETNX', KEYS[3], ARGV[4], now .. ';' .. ARGV[5]) == 1 then setForking(h, base, forks + 1, false) end
call('PERSIST', META)
call('PERSIST', LOG)
return { 0, public(h), now }`,
};

/** lua/read.lua */
export const readScript: RedisScript = {
  name: 'read',
  sha: '34963158426ca73d940a94c8808edd3d464d2196',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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

/** lua/sync.lua */
export const syncScript: RedisScript = {
  name: 'sync',
  sha: 'f280bc854fbc9051939551a59ff0ed225c2bbbdf',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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
local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
call('HINCRBY', META, 's', 1)
return { 0 }`,
};

/** lua/unpin.lua */
export const unpinScript: RedisScript = {
  name: 'unpin',
  sha: '46257cdc94ae66c64a478902fd284d90437f177d',
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
  local keepMs, records = match(ARGV[1], '^%d*;(%d*);(%d+)$')
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
local h = stored()
if not h or h[I] ~= ARGV[4] then return { 0 } end
local base, forks, kept = forking(h)
if call('HDEL', KEYS[3], ARGV[5]) == 1 then
  forks = math.max(forks - 1, 0)
  setForking(h, base, forks, kept)
end
if forks > 0 then return { 0 } end
if not kept then
  expire(h)
  return { 0 }
end
local origin = call('HGET', META, 'fo')
call('UNLINK', META, LOG, KEYS[3])
if KEYS[4] then call('ZREM', KEYS[4], ARGV[6]) end
return { 1, h[I], origin }`,
};
