import Link from 'next/link';

import { buttonClass } from '../components/button.tsx';
import { PageNotice } from '../components/page-notice.tsx';

export default function NotFoundPage() {
  return (
    <PageNotice
      title="Not found"
      action={
        <Link href="/" className={buttonClass('primary')}>
          Start a conversation
        </Link>
      }
    >
      There is no conversation at this address. It may have been deleted.
    </PageNotice>
  );
}
