import type { Heading, Root, RootContent } from 'mdast';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';

import { makePortable, parseMarkdown, plainText, printMarkdown } from './markdown.ts';
import { splitBlock } from './split-block.ts';

/** A part of a document under one heading: the unit that is searched and cited. */
export const passageSchema = z.object({
  /** Unique in the corpus. */
  id: z.string(),
  file: z.string(),
  /** Title of the document: its front matter's, its first top heading, or the file's name. */
  title: z.string(),
  /** Headings above the passage, outermost first, without the title. */
  headings: z.array(z.string()).readonly(),
  /** One-based line where the passage begins. */
  line: z.number(),
  markdown: z.string(),
  text: z.string(),
  /** True when there is nothing in it but lists. */
  listOnly: z.boolean(),
});

/** See {@link passageSchema}. */
export type Passage = Readonly<z.infer<typeof passageSchema>>;

/** A document made ready to be split. */
export interface CleanDocument {
  readonly file: string;
  readonly title: string;
  readonly root: Root;
}

/** A section longer than this is cut, so that a citation points near its sentence: between blocks, and inside long ones. */
const MAX_PASSAGE_LENGTH = 2_400;

interface Section {
  readonly headings: readonly string[];
  readonly line: number;
  readonly blocks: RootContent[];
}

/** Splits one Markdown file into passages. A heading without any text of its own gives none. */
export function toPassages(file: string, markdown: string): Passage[] {
  return [...splitDocument(cleanDocument(file, parseMarkdown(markdown)))];
}

/** Finds the title of a parsed document, and drops what means nothing outside of its file. Changes the tree in place. */
export function cleanDocument(file: string, root: Root): CleanDocument {
  const title = frontMatterTitle(root) ?? firstTitle(root) ?? fileTitle(file);
  return { file, title, root: makePortable(root) };
}

/** Cuts a document into passages, one at a time. A heading without any text of its own gives none. */
export function* splitDocument({ file, title, root }: CleanDocument): Generator<Passage> {
  let index = 0;
  for (const section of toSections(root, title)) {
    for (const { headings, line, blocks } of split(section)) {
      yield {
        id: `${file}#${index++}`,
        file,
        title,
        headings,
        line,
        markdown: printMarkdown({ type: 'root', children: blocks }),
        text: plainText(blocks),
        listOnly: blocks.every(({ type }) => type === 'list'),
      };
    }
  }
}

function toSections(root: Root, title: string): Section[] {
  const sections: Section[] = [];
  const path: { readonly depth: number; readonly text: string }[] = [];
  let current: Section = { headings: [], line: 1, blocks: [] };
  const finish = (): void => {
    if (current.blocks.length > 0) sections.push(current);
  };
  for (const block of root.children) {
    if (block.type !== 'heading') {
      current.blocks.push(block);
      continue;
    }
    finish();
    while ((path.at(-1)?.depth ?? 0) >= block.depth) path.pop();
    path.push({ depth: block.depth, text: plainText(block) });
    const headings = path.map(({ text }) => text).filter((text, index) => !(index === 0 && text === title));
    current = { headings, line: block.position?.start.line ?? 1, blocks: [] };
  }
  finish();
  return sections;
}

function split(section: Section): Section[] {
  const parts: Section[] = [];
  let length = 0;
  for (const block of section.blocks.flatMap((whole) => splitBlock(whole, MAX_PASSAGE_LENGTH))) {
    const size = plainText(block).length;
    const last = parts.at(-1);
    if (last && length + size <= MAX_PASSAGE_LENGTH) {
      last.blocks.push(block);
      length += size;
    } else {
      const line = last ? (block.position?.start.line ?? section.line) : section.line;
      parts.push({ headings: section.headings, line, blocks: [block] });
      length = size;
    }
  }
  return parts;
}

function frontMatterTitle(root: Root): string | undefined {
  const [first] = root.children;
  if (first?.type !== 'yaml') return undefined;
  try {
    const data: unknown = parseYaml(first.value);
    const title = typeof data === 'object' && data !== null && 'title' in data ? data.title : undefined;
    return typeof title === 'string' && title.trim() !== '' ? title.trim() : undefined;
  } catch {
    // Broken front matter costs its title, not the document.
    return undefined;
  }
}

function firstTitle(root: Root): string | undefined {
  const heading = root.children.find((block): block is Heading => block.type === 'heading');
  if (heading?.depth !== 1) return undefined;
  return plainText(heading) || undefined;
}

function fileTitle(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  const words = name.replaceAll(/[-_]+/g, ' ').trim();
  return words === '' ? file : words.charAt(0).toUpperCase() + words.slice(1);
}
