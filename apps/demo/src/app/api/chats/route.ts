import { listChats } from '../../../server/chats/list.ts';
import { demo } from '../../../server/demo.ts';
import { respond } from '../../../server/respond.ts';

/** Lists the conversations, newest first. */
export function GET(request: Request): Promise<Response> {
  return respond(request, async () =>
    Response.json(await listChats(demo()), { headers: { 'cache-control': 'no-store' } }),
  );
}
