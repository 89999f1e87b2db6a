// Generated from lua/include/usual-append.lua by `npm run inline`. Do not edit.

/** lua/include/usual-append.lua */
export const usualAppend: string = String.raw`if ARGV[4] ~= '' then
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
end`;
