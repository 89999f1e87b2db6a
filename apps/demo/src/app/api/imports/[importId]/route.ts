import { idSchema } from '../../../../lib/ids.ts';
import { demo } from '../../../../server/demo.ts';
import { parse, respond } from '../../../../server/respond.ts';

/** Goes on with an import that was stopped or failed. */
export function POST(request: Request, { params }: RouteContext<'/api/imports/[importId]'>): Promise<Response> {
  return respond(request, async () => {
    await demo().importer.continue(parse(idSchema, (await params).importId));
    return new Response(null, { status: 204 });
  });
}

/** Removes an import and what came of it. One that does not exist counts as removed. */
export function DELETE(request: Request, { params }: RouteContext<'/api/imports/[importId]'>): Promise<Response> {
  return respond(request, async () => {
    await demo().importer.remove(parse(idSchema, (await params).importId));
    return new Response(null, { status: 204 });
  });
}
