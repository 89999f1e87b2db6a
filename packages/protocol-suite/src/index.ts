export * from './describe-published-client.ts';
export * from './describe-published-suite.ts';
