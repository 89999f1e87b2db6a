-- What every script starts with: names, and the time. See head.lua.
local call, format, sub = redis.call, string.format, string.sub
local META, LOG, CHANNEL = KEYS[1], KEYS[2], ARGV[2]

local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = time[1] .. sub(time[2] + 1000000, 2, 4)
end
