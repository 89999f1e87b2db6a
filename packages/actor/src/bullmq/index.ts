/**
 * The queue of actors on Redis, through BullMQ, which is a peer dependency.
 *
 * @packageDocumentation
 */
export { type BullMessageQueueOptions, createBullMessageQueue } from './bull-message-queue.ts';
