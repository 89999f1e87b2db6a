#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import process from 'node:process';

// Half of what starting costs is compiling the same modules again.
enableCompileCache();
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
