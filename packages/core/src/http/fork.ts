import { isJsonContentType } from '../log/codec.ts';
import { isStreamRetained } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { CreateOptions, CreateResult, ForkOptions } from '../log/store.ts';
import type { HandlerContext, StreamRequest } from './context.ts';
import { badRequest, HttpProblem } from './problem.ts';
import type { ForkHeaders } from './request-headers.ts';
import { readUrl } from './request-url.ts';
import { resolveTarget } from './target.ts';
import { HEADER } from './wire.ts';

/** A fork as a request asks for it. */
export interface AskedFork {
  readonly fork: ForkOptions;
  /** That of the source; undefined where there is none. */
  readonly contentType: string | undefined;
}

/**
 * Turns the headers of a fork into what the store takes (PROTOCOL.md, "Forks over HTTP"). Whoever forks a stream reads it, so that is
 * asked of `authorize`.
 */
export async function resolveFork(
  { store, guard, basePath }: HandlerContext,
  { request, id }: Pick<StreamRequest, 'request' | 'id'>,
  headers: ForkHeaders,
): Promise<AskedFork> {
  const from = sourceOf(headers.from, new URL(request.url), basePath);
  await guard(request, from, 'read');
  // Without a source it may be the repetition of a request whose fork has outlived it.
  const model = (await store.head(from)) ?? (await store.head(id));
  return { fork: { from, ...placeOf(headers, model) }, contentType: model?.contentType };
}

/** Creates a fork. A source that was deleted is a conflict here, and not the absence of what the URL names. */
export async function createFork(
  { store }: HandlerContext,
  id: string,
  options: CreateOptions & { readonly fork: ForkOptions },
): Promise<CreateResult> {
  try {
    return await store.create(id, options);
  } catch (error) {
    if (isStreamRetained(error))
      throw new HttpProblem(409, 'NOT_FOUND', 'The stream to fork was deleted or has expired.', {
        fields: { retained: true },
      });
    throw error;
  }
}

function sourceOf(header: string, url: URL, basePath: string): string {
  const isPlain = header.startsWith('/') || /^https?:/i.test(header);
  const source = isPlain && URL.canParse(header, url.origin) ? new URL(header, url.origin) : null;
  const target = source?.origin === url.origin ? resolveTarget(readUrl(source.href), basePath) : null;
  if (target?.kind === 'stream') return target.id;
  throw badRequest(
    HEADER.forkedFrom,
    `${HEADER.forkedFrom} must be the path of a stream of this server; got ${JSON.stringify(header.slice(0, 80))}.`,
  );
}

/** On JSON streams values are counted, and each has a position; on others bytes, and a position is a whole record. */
function placeOf({ offset, subOffset }: ForkHeaders, model: StreamHead | null): Omit<ForkOptions, 'from'> {
  if (offset === null) return {};
  const { position, byte } = offset === 'start' ? { position: model?.firstPosition ?? 0, byte: 0 } : offset;
  if (model && isJsonContentType(model.contentType)) {
    if (byte > 0) throw badRequest(HEADER.forkOffset, `${HEADER.forkOffset} points into a value, which has no parts.`);
    return { position: checked(position + subOffset) };
  }
  const bytes = checked(byte + subOffset);
  return bytes === 0 ? { position } : { position, bytes };
}

function checked(sum: number): number {
  if (Number.isSafeInteger(sum)) return sum;
  throw badRequest(HEADER.forkSubOffset, `${HEADER.forkSubOffset} points beyond any stream.`);
}
