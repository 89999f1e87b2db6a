// Generated from lua/append.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';

/** lua/append.lua */
export const appendScript: RedisScript = {
  name: 'append',
  sha: 'b334075b6760842b4f5e21c64fe303d719d4eaf9',
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
