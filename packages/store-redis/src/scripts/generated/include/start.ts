// Generated from lua/include/start.lua by `npm run inline`. Do not edit.

/** lua/include/start.lua */
export const start: string = String.raw`local call, byte, format, match, sub = redis.call, string.byte, string.format, string.match, string.sub
local META, LOG = KEYS[1], KEYS[2]
local incarnation, length = ARGV[2], ARGV[3]
local now
if byte(ARGV[1]) == 59 then
  local time = call('TIME')
  now = time[1] .. sub('00000' .. time[2], -6, -4)
else
  now = match(ARGV[1], '^%d+')
end`;
