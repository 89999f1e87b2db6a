import { importSchema } from '../../../lib/import-requests.ts';
import { demo } from '../../../server/demo.ts';
import { readBody, respond } from '../../../server/respond.ts';

/** Begins an import; see `importSchema`. */
export function POST(request: Request): Promise<Response> {
  return respond(request, async () => {
    await demo().importer.begin(await readBody(request, importSchema));
    return new Response(null, { status: 204 });
  });
}
