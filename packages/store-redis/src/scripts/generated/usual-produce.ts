// Generated from lua/usual-produce.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { usualAppend } from './include/usual-append.ts';

/** lua/usual-produce.lua */
export const usualProduceScript: RedisScript = {
  name: 'usual-produce',
  sha: '1f8ddbea346088b122ed36bc5557d7ad3d4ca8d7',
  source: [
    String.raw`local at = 4
local sequence, epoch, id = string.match(ARGV[3], '^(%d+),(%d+),(.*)$')
if redis.call('HGET', KEYS[1], 'p:' .. id) ~= epoch .. ':' .. sequence then return false end`,
    usualAppend,
  ].join('\n'),
};
