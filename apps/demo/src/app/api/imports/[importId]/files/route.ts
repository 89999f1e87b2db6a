import { idSchema } from '../../../../../lib/ids.ts';
import { MAX_UPLOAD_BYTES, uploadSchema } from '../../../../../lib/import-requests.ts';
import { demo } from '../../../../../server/demo.ts';
import { parse, readBody, respond } from '../../../../../server/respond.ts';

/** base64 takes four bytes for three; names and JSON come on top. */
const MAX_BODY_BYTES = Math.ceil((MAX_UPLOAD_BYTES * 4) / 3) + 128 * 1024;

/** Takes some of the files of an import; see `uploadSchema`. */
export function POST(request: Request, { params }: RouteContext<'/api/imports/[importId]/files'>): Promise<Response> {
  return respond(request, async () => {
    const id = parse(idSchema, (await params).importId);
    await demo().importer.addFiles(id, await readBody(request, uploadSchema, { maxBytes: MAX_BODY_BYTES }));
    return new Response(null, { status: 204 });
  });
}
