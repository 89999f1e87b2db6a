-- The append that nearly every append is: JSON texts for one entry of an open stream that the caller knows, under the stream's own token,
-- and either plain or the next of their producer. It decides and writes what the general path would, at a little more than half the cost,
-- because it makes no closures and asks for all it needs at once. What differs in any way falls through to the general path untouched.
--
-- Returns the next position alone where the first position is 0 and there is no lease, so that the caller knows the rest of the head, else
-- { 0, head }. The whole segment was stored at the positions before the next.
do
  local at, given = 7, '0'
  if byte(ARGV[7]) == 84 then at, given = 8, sub(ARGV[7], 2) end
  local count, seq, epoch, id, attributes = tonumber(ARGV[at]), nil, nil, nil, nil
  if not count then
    -- 321 = producer, JSON texts, attributes.
    count, seq, epoch = match(ARGV[at] or '', '^(%d+),321,(%d+),(%d+),$')
    if count then
      count, id, attributes, at = tonumber(count), 'p:' .. ARGV[at + 1], ARGV[at + 2], at + 2
    end
  end
  local last = #ARGV
  local usual = count and at + count == last and count <= ENTRY_RECORDS and ARGV[6] == '0'
  if usual and count > 1 then
    local bytes = 0
    for index = at + 1, last do bytes = bytes + #ARGV[index] end
    usual = bytes <= ENTRY_BYTES
  end
  if usual then
    local h
    if id then
      h = call('HMGET', META, 'i', 'n', 'k', 'f', 'm', 'e', 't', 'l', 'cr', 'x', id)
      usual = h[11] == epoch .. ':' .. seq
    else
      h = call('HMGET', META, 'i', 'n', 'k', 'f', 'm', 'e', 't', 'l', 'cr', 'x')
    end
    usual = usual and h[1] == ARGV[3] and h[3] == given and h[5] == 'application/json' and not (h[6] or h[7] or h[9] or h[10])
    local position = usual and tonumber(h[2])
    -- Something before it tells that the log has to be there.
    if usual and position > 0 and position >= tonumber(ARGV[4]) then
      local entry
      if id then
        entry = now .. ';' .. count .. ';' .. format('%.0f', seq - position) .. ';' .. attributes
      elseif count > 1 then
        entry = now .. ';' .. count .. ';;' .. LINE_FEED
      else
        entry = now .. LINE_FEED
      end
      entry = entry .. (count == 1 and ARGV[last] or table.concat(ARGV, SEPARATOR, at + 1, last))
      if call('XADD', LOG, 'NOMKSTREAM', format('0-%.0f', position + 1), 'r', entry) then
        local after = position + count
        -- Redis writes whole numbers out in full.
        if id then
          call('HSET', META, 'n', after, id, epoch .. ':' .. format('%.0f', seq + count))
        else
          call('HSET', META, 'n', after)
        end
        call('SPUBLISH', CHANNEL, '')
        if h[4] == '0' and not h[8] then return after end
        return { 0, format('%.0f', after) .. ';' .. h[4] .. ';' .. given .. ';' .. (h[8] or '') }
      end
    end
  end
end
