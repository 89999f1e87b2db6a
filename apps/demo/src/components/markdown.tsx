import { type Components, defaultRemarkPlugins, Streamdown } from 'streamdown';

import { remarkCitations } from '../lib/remark-citations.ts';
import { Citation } from './citation.tsx';
import { CodeBlock } from './code-block.tsx';
import { ScrollRegion } from './scroll-region.tsx';

const REMARK_PLUGINS = [...Object.values(defaultRemarkPlugins), remarkCitations];
const ALLOWED_TAGS = { cite: [] };
const LINK_SAFETY = { enabled: false };

/** Headings of an answer stand below the page's own. */
const COMPONENTS: Components = {
  cite: ({ children }) => <Citation n={Number(children)} />,
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noreferrer" className="font-medium text-primary underline underline-offset-4">
      {children}
    </a>
  ),
  code: ({ className, children }) => <CodeBlock className={className}>{children}</CodeBlock>,
  inlineCode: ({ children }) => (
    <code className="rounded-md bg-muted px-1.5 py-0.5 font-mono text-[0.85em] wrap-break-word">{children}</code>
  ),
  table: ({ children }) => (
    <ScrollRegion label="Table" className="my-4 overflow-x-auto rounded-2xl border">
      <table className="w-full border-collapse text-sm">{children}</table>
    </ScrollRegion>
  ),
  h1: 'h2',
  h2: 'h3',
  h3: 'h4',
  h4: 'h5',
  h5: 'h6',
};

/** Props of {@link Markdown}. */
export interface MarkdownProps {
  readonly text: string;
  /** True while more text may come: unfinished markup is then completed for the eye. */
  readonly streaming?: boolean;
  /** Marks the place where the text goes on. */
  readonly caret?: boolean;
}

/** Renders Markdown, block by block, so that a new word touches only the last block. */
export function Markdown({ text, streaming = false, caret = false }: MarkdownProps) {
  return (
    <Streamdown
      className={caret ? 'prose-answer prose-caret' : 'prose-answer'}
      mode={streaming ? 'streaming' : 'static'}
      isAnimating={streaming}
      remarkPlugins={REMARK_PLUGINS}
      allowedTags={ALLOWED_TAGS}
      linkSafety={LINK_SAFETY}
      controls={false}
      components={COMPONENTS}
    >
      {text}
    </Streamdown>
  );
}
