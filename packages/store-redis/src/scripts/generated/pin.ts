// Generated from lua/pin.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/pin.lua */
export const pinScript: RedisScript = {
  name: 'pin',
  sha: '251d2b4e8198f8a2957f4606a912afcc55cf725c',
  source: [
    start,
    head,
    String.raw`local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
local base, forks = forking(h)
if call('HSETNX', KEYS[3], ARGV[4], now .. ';' .. ARGV[5]) == 1 then setForking(h, base, forks + 1, false) end
call('PERSIST', META)
call('PERSIST', LOG)
return { 0, public(h), now }`,
  ].join('\n'),
};
