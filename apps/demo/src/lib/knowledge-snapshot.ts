import type { Imports } from './knowledge.ts';

/** The imports as the server knows them when a page is rendered; the browser goes on from here. */
export interface KnowledgeSnapshot {
  readonly imports: Imports;
  /** Position in the log at which `imports` was taken. */
  readonly position: number;
}

/** What the documents' folder gives. */
export interface FolderInfo {
  readonly label: string;
  readonly documents: number;
  readonly passages: number;
  /** What is wrong with files that are left out. */
  readonly problems: readonly string[];
}
