import type { ReactNode } from 'react';

import { CopyButton } from './copy-button.tsx';
import { ScrollRegion } from './scroll-region.tsx';

/** Props of {@link CodeBlock}. */
export interface CodeBlockProps {
  /** `language-` and the name that follows the fence, where there is one. */
  readonly className?: string | undefined;
  readonly children?: ReactNode;
}

/** A fenced block of code. It scrolls sideways by itself, also with the keyboard. */
export function CodeBlock({ className = '', children }: CodeBlockProps) {
  const code = typeof children === 'string' ? children.replace(/\n$/, '') : '';
  const language = /language-(\S+)/.exec(className)?.[1] ?? 'text';
  return (
    <figure className="relative my-4 overflow-hidden rounded-2xl border bg-sidebar">
      <figcaption className="absolute top-0 left-4 flex h-11 items-center font-mono text-xs text-muted-foreground">
        {language}
      </figcaption>
      <div className="flex h-11 items-center justify-end">
        <CopyButton text={code} label="Copy code" />
      </div>
      <ScrollRegion label="Code" className="overflow-x-auto px-4 pb-4">
        <pre className="w-max font-mono text-[0.8125rem] leading-relaxed">
          <code>{code}</code>
        </pre>
      </ScrollRegion>
    </figure>
  );
}
