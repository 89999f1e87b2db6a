// Generated from lua/usual-append.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { usualAppend } from './include/usual-append.ts';

/** lua/usual-append.lua */
export const usualAppendScript: RedisScript = {
  name: 'usual-append',
  sha: 'dc1362033ae0575aa10ebba1f3c3e91d3528c96c',
  source: [
    String.raw`local at = 3
local sequence, epoch, id`,
    usualAppend,
  ].join('\n'),
};
