import { CloudOff } from 'lucide-react';

import { useOnline } from '../lib/use-online.ts';

/** Says that the server is out of reach, and what becomes of the answers; nothing while it is not. */
export function ConnectionNotice({ unreachable }: { readonly unreachable: boolean }) {
  const online = useOnline();
  if (online && !unreachable) return null;
  return (
    <p className="flex items-center gap-2.5 rounded-2xl bg-warning-soft px-4 py-2.5 text-sm text-warning">
      <CloudOff aria-hidden className="size-4 shrink-0" />
      {online
        ? 'The server cannot be reached. What has arrived stays, and answers go on here once it is back.'
        : 'You are offline. Answers go on at the server and continue here once you are back.'}
    </p>
  );
}
