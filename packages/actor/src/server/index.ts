/**
 * Actors and streams over server-sent events and WebSockets, for `node:http` servers.
 *
 * @packageDocumentation
 */
export type { Command } from './commands.ts';
export { type ActorEndpoints, createActorEndpoints } from './endpoints.ts';
export type { ActorEndpointsOptions, EndpointLimits, EndpointTarget } from './options.ts';
