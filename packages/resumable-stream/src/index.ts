export { createResumableStreamContext } from './context.ts';
export type { MakeStream, ResumableStreamContext, ResumableStreamContextOptions } from './options.ts';
