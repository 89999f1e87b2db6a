// Generated from lua/read.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/read.lua */
export const readScript: RedisScript = {
  name: 'read',
  sha: '5bea85571468e785669c0c6f96d5de6844e48709',
  source: [
    start,
    head,
    String.raw`local forFork = ARGV[7] ~= ''
local h
if forFork then
  h = stored()
  if h and h[I] ~= ARGV[7] then h = nil end
else
  h = living()
end
if not h then return absent() end
local nextPosition = tonumber(h[N])
if lost(h) then return { -2, nextPosition } end
if not forFork then touch(h) end
local position, limit, bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if position < tonumber(h[F]) then return { -3, tonumber(h[F]) } end
if position >= nextPosition or position < forking(h) then return { 0, public(h), {}, position } end
local entries = call('XRANGE', LOG, '0-' .. (position + 1), '+', 'COUNT', 1)
if not entries[1] or entries[1][1] ~= '0-' .. (position + 1) then
  entries = call('XREVRANGE', LOG, '0-' .. (position + 1), '-', 'COUNT', 1)
  if not entries[1] then return { -4 } end
end
local start = tonumber(sub(entries[1][1], 3)) - 1
local at, stop = start, math.min(nextPosition, position + limit)
local page, taken = {}, 0
while true do
  for index = 1, #entries do
    if at >= stop or taken >= bytes then break end
    if entries[index][1] ~= '0-' .. (at + 1) then return { -4 } end
    local entry = entries[index][2][2]
    page[#page + 1] = entry
    if at >= position then taken = taken + #entry - (string.find(entry, string.char(10), 1, true) or 0) end
    at = at + (tonumber(match(entry, '^%d+;([1-9]%d*);')) or 1)
  end
  if at >= stop or taken >= bytes then break end
  local byBytes, byRecords = (bytes - taken) * #page / math.max(taken, 1), (stop - at) * #page / (at - start)
  local chunk = math.max(1, math.ceil(math.min(256, #page, byBytes, byRecords)))
  entries = call('XRANGE', LOG, '0-' .. (at + 1), '+', 'COUNT', chunk)
  if #entries == 0 then return { -4 } end
end
return { 0, public(h), page, start }`,
  ].join('\n'),
};
