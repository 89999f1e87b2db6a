export {
  createStreamRoute,
  type StreamRoute,
  type StreamRouteContext,
  type StreamRouteOptions,
} from './create-stream-route.ts';
