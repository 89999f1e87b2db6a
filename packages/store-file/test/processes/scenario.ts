/** The stream that the processes of a test share. */
export const STREAM = 'crash/test';

/** The record of a sequence: long enough that some writes cross a page. */
export const textOf = (seq: number): string => JSON.stringify({ seq, text: 'x'.repeat((seq * 37) % 300) });
