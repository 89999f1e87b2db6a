import { InvalidArgumentError, quote } from './errors.ts';

/** Longest stream id in UTF-16 code units. */
export const MAX_STREAM_ID_LENGTH = 2_048;

/**
 * Throws {@link InvalidArgumentError} unless `id` can name a stream: a well-formed, non-empty string of at most
 * {@link MAX_STREAM_ID_LENGTH} code units. Nothing else is forbidden; stores must encode what their medium cannot carry.
 */
export function assertStreamId(id: unknown, argument = 'id'): asserts id is string {
  if (typeof id !== 'string' || id === '')
    throw new InvalidArgumentError(argument, `A stream id must be a non-empty string; got ${quote(id)}.`);
  if (id.length > MAX_STREAM_ID_LENGTH) {
    throw new InvalidArgumentError(
      argument,
      `A stream id may have ${MAX_STREAM_ID_LENGTH} characters; got ${id.length} in ${quote(id)}.`,
    );
  }
  // A lone surrogate has no UTF-8 form: two different ids would meet in one file or one Redis key.
  if (!id.isWellFormed())
    throw new InvalidArgumentError(argument, `A stream id must be well-formed Unicode; got ${quote(id)}.`);
}

/** The id of a run's stream: `runs/<runId>/<namespace>`, run id and namespace each one percent-encoded segment. */
export function runStreamId(runId: string, namespace: string): string {
  return `runs/${segment('workflowId', runId)}/${segment('namespace', namespace)}`;
}

/** Segment of the journal of a run: not the encoding of any namespace, because encoding would change the dollar sign. */
const JOURNAL = '$journal';

/** The id of the journal of a run, the stream that owns the run's other streams (PROTOCOL.md, "Runs"). */
export function runJournalId(runId: string): string {
  return `runs/${segment('workflowId', runId)}/${JOURNAL}`;
}

/** The id of the journal of the run that a stream id belongs to by its name; null for the id of any other stream. */
export function journalIdOf(streamId: string): string | null {
  const [root, run, namespace, ...more] = streamId.split('/');
  if (root !== 'runs' || !run || !namespace || namespace === JOURNAL || more.length > 0) return null;
  return `runs/${run}/${JOURNAL}`;
}

function segment(argument: string, value: string): string {
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) {
    throw new InvalidArgumentError(
      argument,
      `\`${argument}\` must be a non-empty, well-formed string; got ${quote(value)}.`,
    );
  }
  // URL parsers resolve these two even when percent-encoded, so they cannot be a segment of a URL.
  if (value === '.' || value === '..')
    throw new InvalidArgumentError(argument, `\`${argument}\` may not be ${quote(value)}.`);
  return encodeURIComponent(value);
}
