'use client';

import { Button } from '../components/button.tsx';
import { PageNotice } from '../components/page-notice.tsx';

export default function ErrorPage({ reset }: { readonly error: Error; readonly reset: () => void }) {
  return (
    <PageNotice
      title="Something went wrong"
      action={
        <Button variant="primary" onClick={reset}>
          Try again
        </Button>
      }
    >
      This page could not be shown. The server’s log says why; your conversations are safe in their streams.
    </PageNotice>
  );
}
