export * from './encode.ts';
export * from './parse.ts';
