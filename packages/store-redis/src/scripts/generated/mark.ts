// Generated from lua/mark.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/mark.lua */
export const markScript: RedisScript = {
  name: 'mark',
  sha: 'f16d5654eac83d0ef42a5d0c5a337785222b5869',
  source: [
    start,
    head,
    String.raw`local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
touch(h)
local kind = ARGV[4]
if kind == 'cancel' then
  if not h[E] and not h[CR] then
    h[CR] = now .. ARGV[5]
    call('HSET', META, 'cr', h[CR])
    recount(h)
    call('SPUBLISH', LOG, '')
  end
  return { 0, public(h) }
end
local token, current = tonumber(ARGV[5]), tonumber(h[K])
if kind == 'lease' then
  if token < current then return { -8, public(h) } end
  if h[E] then return { 0, public(h) } end
  local before, beat = match(h[L] or '', '^(%d+);(%d+)$')
  local duration = ARGV[6]
  if duration == '' then duration = before or 'release' end
  if duration == 'release' then
    h[L] = false
    call('HDEL', META, 'l')
  else
    h[L] = duration .. ';' .. text((beat or 0) + 1)
    call('HSET', META, 'l', h[L])
  end
  recount(h)
  return { 0, public(h) }
end
if token > current then
  h[K] = ARGV[5]
  call('HSET', META, 'k', ARGV[5], 'fn', ARGV[6])
  recount(h)
elseif token ~= current or call('HGET', META, 'fn') ~= ARGV[6] then
  return { -8, public(h) }
end
return { 0, public(h) }`,
  ].join('\n'),
};
