// Generated from lua/head.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/head.lua */
export const headScript: RedisScript = {
  name: 'head',
  sha: '9998024b89ea1f45fe6fd9765991ca43012c9984',
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
