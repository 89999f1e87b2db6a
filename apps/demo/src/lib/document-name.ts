/** Largest document that is taken in, in bytes: larger files are data, not prose. */
export const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;

/** True for the name of a Markdown file: what is taken out of a folder. */
export function isMarkdownName(name: string): boolean {
  return /\.(?:md|mdx|markdown)$/i.test(name);
}

/** True for the name of a file that can be read as Markdown: what is taken when somebody chose the file itself. */
export function isDocumentName(name: string): boolean {
  return isMarkdownName(name) || /\.txt$/i.test(name);
}
