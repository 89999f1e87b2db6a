import { z } from 'zod';

/** A passage of the documents that an answer may cite as `[n]`, kept with the answer so that later edits do not change it. */
export const sourceSchema = z.object({
  /** Title of the document. */
  title: z.string(),
  /** Headings above the passage, outermost first, without the title. */
  headings: z.array(z.string()),
  /** Path relative to the documents' folder, with forward slashes. */
  file: z.string(),
  /** One-based line of the passage's heading. */
  line: z.number().int().positive(),
  /** The passage in Markdown. */
  markdown: z.string(),
  /** The beginning of the passage as plain text. */
  snippet: z.string(),
});

/** See {@link sourceSchema}. */
export type Source = z.infer<typeof sourceSchema>;

/** The most specific heading of a source: what a list of sources shows first. */
export function sourceHeading(source: Source): string {
  return source.headings.at(-1) ?? source.title;
}
