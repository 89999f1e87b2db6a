import type { RoutedRequest } from './http-request.ts';
import { HttpProblem, notFound } from './problem.ts';

/** What a request wants to do (PROTOCOL.md, "Authorisation"). */
export type StreamAction = 'create' | 'append' | 'read' | 'delete' | 'cancel' | 'list' | 'mark';

/** What is asked of {@link Authorize}. */
export interface AuthorizeTarget {
  /** Id of the stream, decoded; for `list` the prefix that is to be listed. */
  readonly stream: string;
  readonly action: StreamAction;
}

/**
 * Decides whether a request may do something. True allows; false denies: with 404 for `read`, so that a stream which may not be read looks
 * absent, with 403 for everything else. A response of its own is sent as it is. Clone the request before reading its body.
 */
export type Authorize = (request: Request, target: AuthorizeTarget) => boolean | Response | Promise<boolean | Response>;

/** Thrown to send a response that the hook made itself. */
export class AuthorizeAnswer extends Error {
  readonly response: Response;

  constructor(response: Response) {
    super('Answered by `authorize`.');
    this.response = response;
  }
}

/** Throws unless the request may do all of `actions`, which are asked in order. */
export type Guard = (request: RoutedRequest, stream: string, ...actions: readonly StreamAction[]) => Promise<void>;

const HOW_TO_FIX =
  'No request is allowed: `createStreamHandler` has no `authorize`. Pass `authorize: (request, { stream, action }) => boolean`, or ' +
  '`allowAnonymous: true` if anyone may do anything.';

/** Options of {@link createGuard}. */
export interface GuardOptions {
  readonly authorize: Authorize | undefined;
  readonly allowAnonymous: boolean | undefined;
  /** Is told once that everything is denied for lack of a hook. */
  readonly onMisconfigured: (error: Error) => void;
}

/** Creates the check that each request passes before anything is read or written. */
export function createGuard({ authorize, allowAnonymous, onMisconfigured }: GuardOptions): Guard {
  if (!authorize) return (allowAnonymous ?? isDevelopment()) ? async () => undefined : denyAll(onMisconfigured);
  return async (request, stream, ...actions) => {
    const asked = 'toRequest' in request ? request.toRequest() : request;
    for (const action of actions) {
      const verdict = await authorize(asked, { stream, action });
      if (verdict instanceof Response) throw answerOf(verdict);
      if (verdict !== true)
        throw action === 'read'
          ? notFound()
          : new HttpProblem(403, 'FORBIDDEN', `This request may not ${action} here.`);
    }
  };
}

function answerOf(response: Response): Error {
  if (response.status > 0 && !response.bodyUsed && !response.body?.locked) return new AuthorizeAnswer(response);
  return new Error(
    '`authorize` answered with a response that cannot be sent: a network error, or one whose body was sent before. Make a new one each time.',
  );
}

function denyAll(onMisconfigured: (error: Error) => void): Guard {
  let told = false;
  return async () => {
    if (!told) onMisconfigured(new Error(HOW_TO_FIX));
    told = true;
    throw new HttpProblem(403, 'FORBIDDEN', HOW_TO_FIX);
  };
}

/** Only a runtime that says so counts: a server started without `NODE_ENV`, as many are in production, gets no anonymous access. */
function isDevelopment(): boolean {
  const runtime: unknown = Reflect.get(globalThis, 'process');
  if (typeof runtime !== 'object' || runtime === null || !('env' in runtime)) return false;
  const { env } = runtime;
  if (typeof env !== 'object' || env === null || !('NODE_ENV' in env)) return false;
  return env.NODE_ENV === 'development' || env.NODE_ENV === 'test';
}
