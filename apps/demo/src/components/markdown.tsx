import type { ComponentProps } from 'react';
import { defaultRemarkPlugins, Streamdown } from 'streamdown';

import { remarkCitations } from '../lib/remark-citations.ts';
import { Citation } from './citation.tsx';

const REMARK_PLUGINS = [...Object.values(defaultRemarkPlugins), remarkCitations];
const ALLOWED_TAGS = { cite: [] };
const LINK_SAFETY = { enabled: false };
const CONTROLS = { code: { copy: true, download: false }, table: false, mermaid: false, image: false };

/** Headings of an answer stand below the page's own and the question's. */
const COMPONENTS: ComponentProps<typeof Streamdown>['components'] = {
  cite: Citation,
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noreferrer" className="font-medium text-primary underline underline-offset-4">
      {children}
    </a>
  ),
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  h4: 'h6',
  h5: 'h6',
};

/** Props of {@link Markdown}. */
export interface MarkdownProps {
  readonly text: string;
  /** True while more text may come: unfinished markup is then completed for the eye. */
  readonly streaming?: boolean;
}

/** Renders Markdown, block by block, so that a new word touches only the last block. */
export function Markdown({ text, streaming = false }: MarkdownProps) {
  return (
    <Streamdown
      className="prose-answer"
      mode={streaming ? 'streaming' : 'static'}
      isAnimating={streaming}
      {...(streaming && { caret: 'block' as const })}
      remarkPlugins={REMARK_PLUGINS}
      allowedTags={ALLOWED_TAGS}
      linkSafety={LINK_SAFETY}
      controls={CONTROLS}
      lineNumbers={false}
      components={COMPONENTS}
    >
      {text}
    </Streamdown>
  );
}
