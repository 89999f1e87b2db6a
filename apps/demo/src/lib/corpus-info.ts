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
  /** Number of documents with any text. */
  readonly documents: number;
  readonly suggestions: readonly Suggestion[];
}
