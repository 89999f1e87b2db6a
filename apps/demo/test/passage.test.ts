import { expect, test } from 'vitest';

import { parseInPieces } from '../src/server/corpus/parse-pieces.ts';
import { cleanDocument, splitDocument, toPassages } from '../src/server/corpus/passage.ts';

test('splits a document at its headings, and keeps their path and line', () => {
  const passages = toPassages(
    'guide.md',
    '# Guide\n\nIntro.\n\n## Setup\n\nInstall it.\n\n### Linux\n\nUse apt.\n\n## Use\n\nRun it.\n',
  );
  expect(passages.map(({ title, headings, line, text }) => ({ title, headings, line, text }))).toEqual([
    { title: 'Guide', headings: [], line: 1, text: 'Intro.' },
    { title: 'Guide', headings: ['Setup'], line: 5, text: 'Install it.' },
    { title: 'Guide', headings: ['Setup', 'Linux'], line: 9, text: 'Use apt.' },
    { title: 'Guide', headings: ['Use'], line: 13, text: 'Run it.' },
  ]);
});

test('takes no heading out of a code block', () => {
  const [passage, ...others] = toPassages('a.md', '# A\n\n```sh\n# not a heading\nrun\n```\n');
  expect(others).toEqual([]);
  expect(passage?.markdown).toBe('```sh\n# not a heading\nrun\n```');
});

test('takes the title from front matter, then from the first heading, then from the file', () => {
  expect(toPassages('a.md', '---\ntitle: "From: yaml"\n---\n\n# Heading\n\nText.')[0]?.title).toBe('From: yaml');
  expect(toPassages('a.md', '# Heading `code`\n\nText.')[0]?.title).toBe('Heading code');
  expect(toPassages('how-to/read_this.md', 'Text.')[0]?.title).toBe('Read this');
});

test('reads a document whose front matter is broken', () => {
  const [passage] = toPassages('broken.md', '---\ntitle: [\n---\n\nText.');
  expect(passage).toMatchObject({ title: 'Broken', text: 'Text.' });
});

test('keeps absolute links, and of relative ones and images only what can be read', () => {
  const [passage] = toPassages(
    'a.md',
    'See [the guide](./guide.md), [the site](https://example.org) and ![a picture](x.png)<b>bold</b>.',
  );
  expect(passage?.markdown).toBe('See the guide, [the site](https://example.org) and bold.');
});

test('keeps the cells of a table apart', () => {
  const [passage] = toPassages('a.md', '| a | b |\n|---|---|\n| one | two |\n');
  expect(passage?.text).toBe('a b one two');
});

test('cuts a long section between blocks', () => {
  const block = `${'word '.repeat(200).trim()}.`;
  const passages = toPassages('a.md', `# A\n\n## Long\n\n${[block, block, block, block].join('\n\n')}\n`);
  expect(passages.map(({ line }) => line)).toEqual([3, 9]);
  expect(passages.every(({ headings }) => headings[0] === 'Long')).toBe(true);
  expect(new Set(passages.map(({ id }) => id)).size).toBe(2);
});

function longest(markdown: string): number {
  return Math.max(...toPassages('a.md', markdown).map(({ text }) => text.length));
}

test('cuts a long table between rows, each part with the header', () => {
  const rows = Array.from({ length: 200 }, (_, i) => `| option-${i} | sets number ${i} of the options, in ms |`);
  const passages = toPassages('a.md', `# A\n\n## Options\n\n| name | what it does |\n|---|---|\n${rows.join('\n')}\n`);
  expect(passages.length).toBeGreaterThan(3);
  for (const { markdown, text, headings } of passages) {
    expect(markdown).toMatch(/^\| name/);
    expect(text.length).toBeLessThan(2_500);
    expect(headings).toEqual(['Options']);
  }
  for (let i = 0; i < 200; i++)
    expect(passages.filter(({ markdown }) => markdown.includes(`| option-${i} `))).toHaveLength(1);
  const [first, second] = passages;
  expect(first?.line).toBe(3);
  expect(rows[(second?.line ?? 0) - 7]).toContain(second?.text.split(' ')[4] ?? '?');
});

test('cuts long lists, code, quotations and paragraphs, and loses nothing of them', () => {
  const words = Array.from({ length: 600 }, (_, i) => `word${i}`);
  const sentences = words.map((word) => `${word} is one of them.`);
  const texts = {
    list: sentences.map((text) => `1. ${text}`).join('\n'),
    code: `\`\`\`js\n${sentences.join('\n')}\n\`\`\``,
    quotation: sentences.map((text) => `> ${text}\n>`).join('\n'),
    paragraph: sentences.join(' '),
  };
  for (const [name, text] of Object.entries(texts)) {
    expect({ name, short: longest(text) < 2_500 }).toEqual({ name, short: true });
    const all = toPassages('a.md', text).flatMap((passage) => passage.text.match(/word\d+/g) ?? []);
    expect({ name, all }).toEqual({ name, all: words });
  }
  const numbered = toPassages('a.md', texts.list);
  expect(numbered[1]?.markdown).toMatch(
    new RegExp(`^${numbered[0]?.text.match(/word/g)?.length ?? 0} `.replace(/\d+/, (n) => `${Number(n) + 1}\\.`)),
  );
});

test('parses a long document in pieces, with the same passages as at a stretch', async () => {
  const chapters = Array.from(
    { length: 120 },
    (_, i) =>
      `## Chapter ${i}\n\n${`Sentence number ${i}. `.repeat(30)}\n\n- one\n\n- two\n\n  still two\n\n\`\`\`sh\n\n# no heading ${i}\n\n\`\`\`\n\n| a | b |\n|---|---|\n| ${i} | x |\n`,
  );
  const text = `---\ntitle: Book\n---\n\n${chapters.join('\n')}`;
  let pieces = 0;
  const root = await parseInPieces(text, async () => void pieces++);
  expect(pieces).toBeGreaterThan(3);
  expect([...splitDocument(cleanDocument('book.md', root))]).toEqual(toPassages('book.md', text));
});
