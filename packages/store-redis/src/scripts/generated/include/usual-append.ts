// Generated from lua/include/usual-append.lua by `npm run inline`. Do not edit.

/** lua/include/usual-append.lua */
export const usualAppend: string = String.raw`local call = redis.call
local length, now = tonumber(ARGV[2]), nil
if length then
  local time = call('TIME')
  now = time[1] .. string.sub('00000' .. time[2], -6, -4)
else
  length, now = string.match(ARGV[2], '^(%d+);(%d+)')
  if not now then return false end
  length = tonumber(length)
end
local count = #ARGV - at + 1
local after = call('HINCRBY', KEYS[1], ARGV[1], count)
local position = after - count
if position > 0 and position >= length then
  local entry
  if id then
    local offset = string.format('%.0f', sequence - position)
    entry = now .. ';' .. count .. ';' .. offset .. ';{"p":"' .. id .. '","e":' .. epoch .. '}\n'
  elseif count > 1 then
    entry = now .. ';' .. count .. ';;\n'
  else
    entry = now .. '\n'
  end
  entry = entry .. (count > 1 and table.concat(ARGV, '\30', at) or ARGV[at])
  if type(redis.pcall('XADD', KEYS[2], 'NOMKSTREAM', string.format('0-%.0f', position + 1), 'r', entry)) == 'string' then
    if id then call('HSET', KEYS[1], 'p:' .. id, epoch .. ':' .. string.format('%.0f', sequence + count)) end
    call('SPUBLISH', KEYS[2], '')
    return after
  end
end
if position > 0 then call('HINCRBY', KEYS[1], ARGV[1], -count) else call('HDEL', KEYS[1], ARGV[1]) end
return false`;
