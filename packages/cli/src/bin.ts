#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import process from 'node:process';

// Half of what starting costs is compiling the same modules again.
enableCompileCache();
const { main } = await import('./main.ts');
const exitCode = await main(process.argv.slice(2));
// What a config file left open, such as a connection, must not keep the command from ending.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
