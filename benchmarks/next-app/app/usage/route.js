/** CPU time of the server so far, in microseconds. */
export const dynamic = 'force-dynamic';

export function GET() {
  const { user, system } = process.cpuUsage();
  return Response.json(user + system);
}
