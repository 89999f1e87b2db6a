/** The text of each generated module, by the name of its file. */
export function generate(): Map<string, string>;
/** The folder of the generated modules. */
export const target: string;
