import { askSchema } from '../../../lib/requests.ts';
import { ask } from '../../../server/chats/ask.ts';
import { demo } from '../../../server/demo.ts';
import { readBody, respond } from '../../../server/respond.ts';

/** Asks a question, or for a new answer to one; see `askSchema`. */
export function POST(request: Request): Promise<Response> {
  return respond(request, async () => Response.json(await ask(demo(), await readBody(request, askSchema))));
}
