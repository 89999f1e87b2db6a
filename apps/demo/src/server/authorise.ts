import { isCrossSite } from './respond.ts';

/**
 * Who may do what with streams over HTTP. The demo has one user, who may read conversations and stop answers; all writing goes through the
 * app's own routes. An app with accounts would check here whose chat it is.
 */
export function authorise(
  request: Request,
  { stream, action }: { readonly stream: string; readonly action: string },
): boolean {
  if (isCrossSite(request) || !stream.startsWith('chats/')) return false;
  return action === 'read' || (action === 'cancel' && /^chats\/[^/]+\/answers\/[^/]+$/.test(stream));
}
