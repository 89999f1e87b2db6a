/** A question the reader may start with. */
export interface Suggestion {
  readonly question: string;
  /** Title of the document it comes from. */
  readonly title: string;
}

/** What the documents offer, as the server saw it. */
export interface CorpusInfo {
  /** Name of the documents' folder. */
  readonly label: string;
  /** Number of documents with any text, the imported ones among them. */
  readonly documents: number;
  /** Number of documents that were imported. */
  readonly imported: number;
  readonly suggestions: readonly Suggestion[];
}
