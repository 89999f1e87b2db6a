/** The text of the generated module. */
export function generate(): string;
/** The generated module. */
export const target: string;
