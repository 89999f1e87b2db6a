// Generated from lua/unpin.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { head } from './include/head.ts';
import { start } from './include/start.ts';

/** lua/unpin.lua */
export const unpinScript: RedisScript = {
  name: 'unpin',
  sha: 'ef308c8721bf5ccf4506233eff51b1bfafd74da9',
  source: [
    start,
    head,
    String.raw`local h = stored()
if not h or h[I] ~= ARGV[4] then return { 0 } end
local base, forks, kept = forking(h)
if call('HDEL', KEYS[3], ARGV[5]) == 1 then
  forks = math.max(forks - 1, 0)
  setForking(h, base, forks, kept)
end
if forks > 0 then return { 0 } end
if not kept then
  expire(h)
  return { 0 }
end
local origin = call('HGET', META, 'fo')
call('UNLINK', META, LOG, KEYS[3])
if KEYS[4] then call('ZREM', KEYS[4], ARGV[6]) end
return { 1, h[I], origin }`,
  ].join('\n'),
};
