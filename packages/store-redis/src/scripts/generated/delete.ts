// Generated from lua/delete.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/delete.lua */
export const deleteScript: RedisScript = {
  name: 'delete',
  sha: '35e7b56e2bf72a03b65f48b8c519e825ac5fc864',
  source: [
    start,
    head,
    String.raw`local h = living()
local origin = h and call('HGET', META, 'fo')
if h then leave(h) end
if KEYS[3] and not held then call('ZREM', KEYS[3], ARGV[4]) end
if not h then return { 0 } end
if held then return { 2 } end
return { 1, h[I], origin }`,
  ].join('\n'),
};
