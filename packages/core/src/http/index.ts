export type { Authorize, AuthorizeTarget, StreamAction } from './authorize.ts';
export type { CorsOptions } from './cors.ts';
export { createStreamHandler } from './handler.ts';
export { formatOffset, parseOffset, type StreamOffset } from './offsets.ts';
export type { ErrorContext, StreamHandlerLimits, StreamHandlerOptions } from './options.ts';
export { streamUrl } from './stream-url.ts';
export * from './wire.ts';
