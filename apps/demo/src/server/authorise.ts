import { isCrossSite } from './respond.ts';

/**
 * Who may do what with streams over HTTP. The demo has one user, who may read conversations and what happens to the
 * knowledge base, and stop answers and imports; all writing goes through the
 * app's own routes. An app with accounts would check here whose chat it is.
 */
export function authorise(
  request: Request,
  { stream, action }: { readonly stream: string; readonly action: string },
): boolean {
  if (isCrossSite(request)) return false;
  if (action === 'read') return READABLE.test(stream);
  return action === 'cancel' && STOPPABLE.test(stream);
}

/**
 * Of the knowledge base, what happens to it: the documents themselves are not handed out. Of a run, the answer: its journal, which holds
 * what it has found, is nobody's business.
 */
const READABLE = /^(?:chats\/.+|runs\/[\w-]+\.[\w-]+\/answer|knowledge\/log|knowledge\/imports\/[^/]+\/runs\/\d+)$/;
const STOPPABLE = /^(?:runs\/[\w-]+\.[\w-]+\/answer|knowledge\/imports\/[^/]+\/runs\/\d+)$/;
