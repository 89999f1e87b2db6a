import { isCrossSite } from './respond.ts';

/** The answer of a run; its journal, which holds what the run has found and decided, is nobody's business. */
const ANSWER = /^runs\/[\w-]+\.[\w-]+\/answer$/;
const CHAT = /^chats\/.+/;

/**
 * Who may do what with streams over HTTP. The demo has one user, who may read conversations and stop answers; all writing goes through the
 * app's own routes. An app with accounts would check here whose chat it is.
 */
export function authorise(
  request: Request,
  { stream, action }: { readonly stream: string; readonly action: string },
): boolean {
  if (isCrossSite(request)) return false;
  if (action === 'read') return CHAT.test(stream) || ANSWER.test(stream);
  return action === 'cancel' && ANSWER.test(stream);
}
