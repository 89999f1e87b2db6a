import { idSchema } from '../../../../lib/ids.ts';
import { deleteChat } from '../../../../server/chats/list.ts';
import { demo } from '../../../../server/demo.ts';
import { parse, respond } from '../../../../server/respond.ts';

/** Deletes a conversation with its answers. One that does not exist counts as deleted. */
export function DELETE(request: Request, { params }: RouteContext<'/api/chats/[chatId]'>): Promise<Response> {
  return respond(request, async () => {
    await deleteChat(demo(), parse(idSchema, (await params).chatId));
    return new Response(null, { status: 204 });
  });
}
