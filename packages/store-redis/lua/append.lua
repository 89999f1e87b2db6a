-- Appends segments of one or more requests to a stream, in order, as one atomic write.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-3 see include/head.lua; then items:
--   'T' .. token        Fencing token of the segments that follow; 0 until the first.
--   count               A segment of that many JSON texts, without anything else; its records follow.
--   count ',' flags ',' first sequence ',' epoch ',' expected position
--                       A segment; flags are the sum of 1 producer, 2 one sequence for the whole segment, 4 end, 8 content type,
--                       16 expected position, 32 stream sequence, 64 JSON texts, 128 bytes, 256 attributes of the segment, 512
--                       attributes before each record. What flags 1, 4, 8, 32 and 256 announce follows in that order: producer id, end
--                       (JSON), media type, stream sequence (UTF-16BE), attributes (JSON and a line feed). Then the records.
-- Records are stored in entries: a header line and the payload of one record, or of several JSON texts with the byte 30 between them,
-- which no JSON text contains. An entry's id is that of its first record. The header is the time, or
-- time ';' count ';' sequence ';' attributes. A sequence is '' without a producer, '=' and the sequence when the whole segment has one,
-- else the difference between sequence and position, which all records of the segment share.
--
-- Returns { 0, head, results, stream sequences of the results 6 }, or 1 instead of 0 where the next append may take the usual way (see
-- include/usual-append.lua); results are '' when every segment was stored without a skip, one after the other up to the head's next
-- position, else joined by ';', one per segment:
--   0,position,skipped = stored; 1,next sequence = duplicate; 2,epoch = stale epoch; 3,skipped = closed; 4,skipped = content type;
--   5,expected sequence = gap; 6 = stream sequence regression; 7,next position = conflict; 8,token = fenced.
-- Negative codes: { -1 } no such stream; { -9 } kept for its forks only; { -2, next position } the server lost acknowledged records; { -4 } the log is not the one that
-- the head belongs to, nothing was written.
--
-- The order of the checks is that of decideAppend in core; a property test holds the two against each other.
-- @include head

local LINE_FEED, SEPARATOR = '\n', '\30'
-- A page has to fetch the whole of its first and its last entry. isUsual() in codec/append.ts goes by the same.
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

-- True when b follows a, byte by byte: the operator < goes by the server's locale.
local function follows(a, b)
  for index = 1, min(#a, #b) do
    local x, y = byte(a, index), byte(b, index)
    if x ~= y then return y > x end
  end
  return #b > #a
end

-- Adds an entry; false when the log is gone that it belongs to. Only the first can fail: nothing else writes meanwhile.
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

-- As long as every segment is stored whole, results hold only their counts; this turns them into what is returned otherwise.
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
  -- What forks read is not trimmed.
  if retained > 0 and forks == 0 and nextPosition - retained > tonumber(h[F]) then
    h[F] = text(nextPosition - retained)
    set('f', h[F])
    trim(nextPosition - retained)
  end
  for index = 1, #written do
    local id = written[index]
    set('p:' .. id, text(producers[id][1]) .. ':' .. text(producers[id][2]))
    -- unpack() takes some 8,000 values.
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
return { h.counter == 'n' and 0 or 1, public(h), plain and '' or table.concat(results, ';'), regressions[1] and regressions }
