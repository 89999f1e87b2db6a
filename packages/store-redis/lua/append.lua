-- Appends segments of one or more requests to a stream, in order, as one atomic write.
--
-- KEYS: see include/head.lua.
-- ARGV: 1-4 see include/head.lua; 5 = ms an ended stream is kept ('' = for ever); 6 = records to retain (0 = all); then items:
--   'T' .. token        Fencing token of the segments that follow; 0 until the first.
--   count               A segment of that many JSON texts, without anything else; its records follow.
--   count ',' flags ',' first sequence ',' epoch ',' expected position
--                       A segment; flags are the sum of 1 producer, 2 one sequence for the whole segment, 4 end, 8 content type,
--                       16 expected position, 32 stream sequence, 64 JSON texts, 128 bytes. What flags 1, 4, 8 and 32 announce
--                       follows in that order: producer id, end (JSON), media type, stream sequence (UTF-16BE). Then the records.
-- Returns { 0, head, results, stream sequences of the results 6 }; results are joined by ';', one per segment:
--   0,position,skipped = stored; 1,next sequence = duplicate; 2,epoch = stale epoch; 3 = closed; 4 = content type;
--   5,expected sequence = gap; 6 = stream sequence regression; 7,next position = conflict; 8,token = fenced.
-- Negative codes: { -1 } no such stream; { -2, next position } the server lost acknowledged records.
--
-- The order of the checks is that of decideAppend in core; a property test holds the two against each other.
-- @include head

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

-- True when b follows a, byte by byte: the operator < goes by the server's locale.
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
    -- unpack() takes some 8,000 values.
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
return { 0, public(h), table.concat(results, ';'), regressions }
