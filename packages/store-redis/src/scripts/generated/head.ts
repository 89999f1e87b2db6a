// Generated from lua/head.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/head.lua */
export const headScript: RedisScript = {
  name: 'head',
  sha: '11c5cef92eaeed4abf7b5021cdad0a1f4d1be996',
  source: [
    start,
    head,
    String.raw`local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
if ARGV[4] == '1' then touch(h) end
return { 0, public(h), ARGV[5] ~= '' and call('HGET', META, 'p:' .. ARGV[5]) or false }`,
  ].join('\n'),
};
