import { expect, test } from 'vitest';

import { type ChatEvent, chatTitle, foldChat, type PendingRequest, shownTurns } from '../src/lib/chat.ts';
import { citedNumbers, toClipboardText } from '../src/lib/cited.ts';
import { answerStreamId, newId, streamUrl } from '../src/lib/ids.ts';

const EVENTS: readonly ChatEvent[] = [
  { type: 'question', id: 'q1', text: 'One?', answer: 'runs/c.q1/answer' },
  { type: 'question', id: 'q2', text: 'Two?', answer: 'runs/c.q2/answer' },
];
const CHAT = EVENTS.reduce(foldChat, []);

test('keeps questions in order, each once', () => {
  expect(CHAT.map(({ text }) => text)).toEqual(['One?', 'Two?']);
  expect([...EVENTS, ...EVENTS].reduce(foldChat, [])).toEqual(CHAT);
});

test('shows the latest answer to a question', () => {
  const chat = foldChat(CHAT, { type: 'regenerate', question: 'q1', answer: 'runs/c.r1/answer' });
  expect(chat.map(({ answer }) => answer)).toEqual(['runs/c.r1/answer', 'runs/c.q2/answer']);
  expect(foldChat(CHAT, { type: 'regenerate', question: 'unknown', answer: 'x' })).toEqual(CHAT);
});

test('shows a question of this page before the stream does, and only once after', () => {
  const pending: PendingRequest = {
    request: { type: 'question', id: 'q3', chatId: 'c', text: 'Three?' },
    accepted: false,
    replaces: null,
  };
  expect(shownTurns(CHAT, [pending]).at(-1)).toEqual({
    id: 'q3',
    text: 'Three?',
    answer: answerStreamId('c', 'q3'),
    pending: true,
  });
  expect(shownTurns(CHAT, [{ ...pending, accepted: true }]).at(-1)?.pending).toBe(false);
  const stored = foldChat(CHAT, { type: 'question', id: 'q3', text: 'Three?', answer: answerStreamId('c', 'q3') });
  expect(shownTurns(stored, [pending])).toHaveLength(3);
});

test('shows a new answer of this page until another tab asks again', () => {
  const pending: PendingRequest = {
    request: { type: 'regenerate', id: 'r1', chatId: 'c', question: 'q2' },
    accepted: true,
    replaces: 'runs/c.q2/answer',
  };
  expect(shownTurns(CHAT, [pending])[1]?.answer).toBe(answerStreamId('c', 'r1'));
  const later = foldChat(CHAT, { type: 'regenerate', question: 'q2', answer: 'runs/c.r2/answer' });
  expect(shownTurns(later, [pending])[1]?.answer).toBe('runs/c.r2/answer');
});

test('titles a conversation by the first line of its question, cut at a word', () => {
  expect(chatTitle('  What   is\tit?\nAnd more')).toBe('What is it?');
  expect(chatTitle('word '.repeat(40))).toBe(`${'word '.repeat(12).trim()}…`);
  expect(chatTitle('x'.repeat(80))).toBe(`${'x'.repeat(60)}…`);
  expect(chatTitle(`${'x'.repeat(59)}🌱`).isWellFormed()).toBe(true);
  expect(chatTitle(' \n ')).toBe('Untitled');
});

test('lists the sources that a text names', () => {
  const source = { title: 'Trees', headings: ['Oak'], file: 'trees.md', line: 3, markdown: 'Oak.', snippet: 'Oak.' };
  const answer = { answerer: null, sources: [source, source], text: 'Oak [2].\n' };
  expect(citedNumbers(answer)).toEqual([2]);
  expect(toClipboardText(answer)).toBe('Oak [2].\n\nSources:\n[2] Trees: Oak (trees.md, line 3)');
  expect(toClipboardText({ ...answer, text: 'Oak.' })).toBe('Oak.');
});

test('makes ids that differ and URLs that lead to one stream', () => {
  expect(newId()).toMatch(/^[a-z0-9]{20}$/);
  expect(newId()).not.toBe(newId());
  expect(streamUrl('chats/a b/ü?')).toBe('/api/streams/chats/a%20b/%C3%BC%3F');
});
