// Generated from lua/create.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/create.lua */
export const createScript: RedisScript = {
  name: 'create',
  sha: '23f4bd3f750b4d3af69dc260d79c65139e7d271e',
  source: [
    start,
    head,
    String.raw`local life, token, ending = ARGV[7], ARGV[10], ARGV[11]
local only, origin = ARGV[13], ARGV[14]
local h = living()
if only ~= '' and not (h and h[I] == only) then return absent() end
if not h and held then return { -9 } end
if origin ~= '' and (h or tonumber(now) > tonumber(ARGV[17])) then return { -6 } end
if KEYS[3] then call('ZADD', KEYS[3], 0, ARGV[12]) end
if h then
  if lost(h) then return { -2, tonumber(h[N]) } end
  touch(h)
  local other = h[M] ~= ARGV[6] or (h[T] or '') ~= life or (ending ~= '' and not h[E])
  if other or (token ~= '' and tonumber(token) < tonumber(h[K])) then return { -5, public(h) } end
  if token ~= '' and tonumber(token) > tonumber(h[K]) then
    h[K] = token
    call('HSET', META, 'k', token)
    call('HDEL', META, 'fn')
    recount(h)
  end
  return { 0, public(h) }
end
local base, first = tonumber(ARGV[15]), tonumber(ARGV[16])
local count = (#ARGV - 17) / 2
local nextPosition = base + count
call('UNLINK', LOG)
for index = 1, count do
  call('XADD', LOG, '0-' .. text(base + index), 'r', now .. ARGV[16 + 2 * index] .. ARGV[17 + 2 * index])
end
local keepMs, retained = kept()
if retained > 0 and nextPosition - retained > first then first = nextPosition - retained end
if first > base then trim(first) end
h = {
  ARGV[4],
  text(nextPosition),
  token == '' and '0' or token,
  text(first),
  ARGV[6],
  ending ~= '' and ending,
  life ~= '' and life,
  ARGV[8] ~= '' and ARGV[8] .. ';0',
  false,
  base > 0 and text(base) .. ';0;0',
}
local fields = { counterOf(h), h[N], 'i', h[I], 'k', h[K], 'f', h[F], 'm', h[M] }
local function set(name, value)
  fields[#fields + 1], fields[#fields + 2] = name, value
end
if h[E] then
  set('e', h[E])
  if keepMs ~= '' then set('rx', text(now + keepMs)) end
end
if h[T] then
  set('t', h[T])
  set('u', now)
end
if h[L] then set('l', h[L]) end
if ARGV[9] ~= '' then set('o', ARGV[9]) end
if origin ~= '' then set('fo', origin) end
if h[X] then set('x', h[X]) end
set('c', ARGV[5])
set('ca', now)
call('HSET', META, unpack(fields))
expire(h)
return { 1, public(h) }`,
  ].join('\n'),
};
