-- What every script starts with: names, and the time. See head.lua.
local call, byte, format, match, sub = redis.call, string.byte, string.format, string.match, string.sub
local META, LOG = KEYS[1], KEYS[2]
-- What the caller was told before.
local incarnation, length = ARGV[2], ARGV[3]

local now
-- 59 = ';'
if byte(ARGV[1]) == 59 then
  local time = call('TIME')
  -- Texts all along: a number would have to be formatted.
  now = time[1] .. sub('00000' .. time[2], -6, -4)
else
  now = match(ARGV[1], '^%d+')
end
