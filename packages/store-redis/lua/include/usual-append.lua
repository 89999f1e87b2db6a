-- The append that nearly every append is: JSON texts for one entry of an open stream that the caller knows, under the stream's own token,
-- and either plain or the next of their producer. The caller announces it by the segment in ARGV[4], and names in ARGV[2] the field that
-- counts the records as long as the stream is what the caller takes it for (usualCounter in head.lua). So it decides and writes what the
-- general path would with four commands, two more for a producer. What differs in any way falls through to the general path untouched.
--
-- Returns the next position alone where the first position is 0 and there is no lease, so that the caller knows the rest of the head, else
-- { 0, head }. The whole segment was stored at the positions before the next.
if ARGV[4] ~= '' then
  local count, at, last, usual = ARGV[4], 5, #ARGV, true
  local seq, epoch, id, attributes
  if not tonumber(count) then
    -- 321 = producer, JSON texts, attributes.
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
    -- 0: there was no such field. Where there is one, something before it tells that the log has to be there.
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
      -- What cannot be added leaves the count to be taken back; the general path then says why.
      if type(redis.pcall('XADD', LOG, 'NOMKSTREAM', format('0-%.0f', position + 1), 'r', entry)) == 'string' then
        if id then call('HSET', META, id, epoch .. ':' .. format('%.0f', seq + count)) end
        call('SPUBLISH', LOG, '')
        -- 108 = 'l': there is a lease, or a first position.
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
