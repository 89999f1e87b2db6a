import type { ChatSummary } from './chat.ts';
import type { ImportRequest, UploadRequest } from './import-requests.ts';
import { type AskRequest, problemSchema } from './requests.ts';

/** A request to this app's server that failed; the message is for the reader. */
export class ApiError extends Error {
  /** `UNREACHABLE` when no answer came at all. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.code = code;
  }
}

/** Asks a question, or for a new answer to one. Safe to repeat with the same request. */
export async function postAsk(request: AskRequest): Promise<{ readonly chatId: string; readonly answer: string }> {
  const response = await call('/api/chat', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  return response.json();
}

/** The conversations, newest first. */
export async function fetchChats(signal: AbortSignal): Promise<ChatSummary[]> {
  const response = await call('/api/chats', { signal });
  return response.json();
}

/** Deletes a conversation with its answers. One that is gone already counts as deleted. */
export async function deleteChat(chatId: string): Promise<void> {
  await call(`/api/chats/${encodeURIComponent(chatId)}`, { method: 'DELETE' });
}

/** Sends some of the files of an import. Safe to repeat with the same part. */
export async function postFiles(importId: string, request: UploadRequest, signal: AbortSignal): Promise<void> {
  await call(`/api/imports/${encodeURIComponent(importId)}/files`, { ...postJson(request), signal });
}

/** Begins an import. Safe to repeat with the same request. */
export async function postImport(request: ImportRequest): Promise<void> {
  await call('/api/imports', postJson(request));
}

/** Goes on with an import that was stopped or failed. */
export async function continueImport(importId: string): Promise<void> {
  await call(`/api/imports/${encodeURIComponent(importId)}`, { method: 'POST' });
}

/** Removes an import and what came of it. One that is gone already counts as removed. */
export async function deleteImport(importId: string): Promise<void> {
  await call(`/api/imports/${encodeURIComponent(importId)}`, { method: 'DELETE' });
}

function postJson(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function call(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError('UNREACHABLE', 'The server cannot be reached.', { cause });
  }
  if (response.ok) return response;
  const problem = problemSchema.safeParse(await response.json().catch(() => null));
  const { code, message } = problem.data?.error ?? {
    code: 'INTERNAL',
    message: `The server answered with status ${response.status}.`,
  };
  throw new ApiError(code, message);
}
