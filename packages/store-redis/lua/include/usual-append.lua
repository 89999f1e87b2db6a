-- What nearly every append is: JSON texts for one entry of an open stream that the caller knows, under the stream's own token, and either
-- plain or the next of their producer. There is a script for each of the two, with no argument that it can do without: each costs more
-- than a tenth of storing the record. What differs in any way is left to append.lua, with nothing changed.
--
-- KEYS: see head.lua. ARGV[1] is the field that counts the records as long as the stream is what the caller takes it for (usualCounter in
-- head.lua). ARGV[2] is the length that the caller was told before, with ';' and the time in ms where the store has a clock of its own.
-- Local to the script that ends with this: `at`, the argument in which the texts begin; `sequence` of the first one, `epoch`, and `id` of
-- their producer, or nil.
local call = redis.call
local length, now = tonumber(ARGV[2]), nil
if length then
  local time = call('TIME')
  -- Texts all along: a number would have to be formatted.
  now = time[1] .. string.sub('00000' .. time[2], -6, -4)
else
  length, now = string.match(ARGV[2], '^(%d+);(%d+)')
  -- A clock that shows no time must not fail below, where the records are counted and not there yet.
  if not now then return false end
  length = tonumber(length)
end

local count = #ARGV - at + 1
local after = call('HINCRBY', KEYS[1], ARGV[1], count)
local position = after - count
-- 0: there was no such field. Where there is one, something before it tells that the log has to be there.
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
  -- What cannot be added leaves the count to be taken back; the general way then says why.
  if type(redis.pcall('XADD', KEYS[2], 'NOMKSTREAM', string.format('0-%.0f', position + 1), 'r', entry)) == 'string' then
    if id then call('HSET', KEYS[1], 'p:' .. id, epoch .. ':' .. string.format('%.0f', sequence + count)) end
    call('SPUBLISH', KEYS[2], '')
    return after
  end
end
if position > 0 then call('HINCRBY', KEYS[1], ARGV[1], -count) else call('HDEL', KEYS[1], ARGV[1]) end
return false
