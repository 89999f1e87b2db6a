// Generated from lua/append.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/append.lua */
export const appendScript: RedisScript = {
  name: 'append',
  sha: '326e6ffab582c15b3744f286bfc96dcdb4fc259f',
  source: [
    start,
    head,
    String.raw`local LINE_FEED, SEPARATOR = '\n', '\30'
local ENTRY_RECORDS, ENTRY_BYTES = 128, 16384
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
local at, last = 4, #ARGV
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
  local before = h.counter
  h.counter = counterOf(h)
  set(h.counter, h[N])
  call('HSET', META, unpack(fields))
  if h.counter ~= before then call('HDEL', META, before) end
  if closing or h[T] then expire(h) end
  if closing or nextPosition > first then call('SPUBLISH', LOG, '') end
end
return { h.counter == 'n' and 0 or 1, public(h), plain and '' or table.concat(results, ';'), regressions[1] and regressions }`,
  ].join('\n'),
};
