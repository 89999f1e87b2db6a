#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import process from 'node:process';

/** How long what is left may take to end by itself, in ms: an actor that cleans up after Ctrl-C, a connection that a config left open. */
const GRACE_MS = { interrupted: 2_000, otherwise: 250 };

// Half of what starting costs is compiling the same modules again.
enableCompileCache();
const { main } = await import('./main.ts');
const exitCode = await main(process.argv.slice(2));
process.exitCode = exitCode;
setTimeout(() => process.exit(), exitCode > 128 ? GRACE_MS.interrupted : GRACE_MS.otherwise).unref();
