export { createStreamListener, type StreamListener } from './create-stream-listener.ts';
