// Generated from lua/sync.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/sync.lua */
export const syncScript: RedisScript = {
  name: 'sync',
  sha: '40ae5ce40adac089ea61027a7cade45a75e69217',
  source: [
    start,
    head,
    String.raw`local h = living()
if not h then return absent() end
if lost(h) then return { -2, tonumber(h[N]) } end
call('HINCRBY', META, 's', 1)
return { 0 }`,
  ].join('\n'),
};
