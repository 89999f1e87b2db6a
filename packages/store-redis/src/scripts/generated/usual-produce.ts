// Generated from lua/usual-produce.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { usualAppend } from './include/usual-append.ts';

/** lua/usual-produce.lua */
export const usualProduceScript: RedisScript = {
  name: 'usual-produce',
  sha: '04519b87268f789d683a2d8c7cc732f73eb34c1a',
  source: [
    String.raw`local at = 4
local sequence, epoch, id = string.match(ARGV[3], '^(%d+),(%d+),(.*)$')
if redis.call('HGET', KEYS[1], 'p:' .. id) ~= epoch .. ':' .. sequence then return false end`,
    usualAppend,
  ].join('\n'),
};
