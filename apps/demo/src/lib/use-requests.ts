import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';

import { type ApiError, postAsk } from './api.ts';
import type { PendingRequest } from './chat.ts';
import type { AskRequest } from './requests.ts';

/** What {@link useRequests} returns. */
export interface Requests {
  /** What was asked here, without what the server did not take; oldest first. */
  readonly pending: readonly PendingRequest[];
  /** Sends a request; resolves with false when the server did not take it. Keeps its identity. */
  readonly ask: (request: AskRequest, replaces?: string) => Promise<boolean>;
  readonly sending: boolean;
  /** Why the last request was not taken. */
  readonly error: ApiError | null;
}

type Sent = Omit<PendingRequest, 'accepted'>;

/** Sends the requests of a conversation, and shows them before the server has answered. */
export function useRequests(): Requests {
  const queryClient = useQueryClient();
  const [pending, setPending] = useState<readonly PendingRequest[]>([]);
  const { mutateAsync, isPending, error } = useMutation<unknown, ApiError, Sent>({
    mutationFn: ({ request }) => postAsk(request),
    // The default would hold a request back while the browser calls itself offline, and say nothing.
    networkMode: 'always',
    onMutate: (sent) => setPending((list) => [...list, { ...sent, accepted: false }]),
    onSuccess: (_, { request }) => {
      setPending((list) => list.map((item) => (item.request === request ? { ...item, accepted: true } : item)));
      void queryClient.invalidateQueries({ queryKey: ['chats'] });
    },
    onError: (_, { request }) => setPending((list) => list.filter((item) => item.request !== request)),
  });
  const ask = useCallback(
    (request: AskRequest, replaces?: string) =>
      mutateAsync({ request, replaces: replaces ?? null }).then(
        () => true,
        () => false,
      ),
    [mutateAsync],
  );
  return { pending, ask, sending: isPending, error };
}
