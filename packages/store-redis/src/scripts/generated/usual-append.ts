// Generated from lua/usual-append.lua by `npm run inline`. Do not edit.
import type { RedisScript } from '../redis-script.ts';
import { usualAppend } from './include/usual-append.ts';

/** lua/usual-append.lua */
export const usualAppendScript: RedisScript = {
  name: 'usual-append',
  sha: '7348da9bcd2896c61b93ea62bc5881f41e7b9054',
  source: [
    String.raw`local at = 3
local sequence, epoch, id`,
    usualAppend,
  ].join('\n'),
};
