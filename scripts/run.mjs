// @ts-check
/**
 * Runs a command in the checkout: setup, then the compiled program in this process. A second process would take time to
 * start and would not receive Ctrl-C directly.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setupOrExit } from './setup.mjs';

setupOrExit();
// npm starts scripts in the checkout and says where it was called: paths that were typed there are relative to that.
const { INIT_CWD } = process.env;
const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
if (INIT_CWD && process.cwd() === checkout && process.env.npm_lifecycle_event) process.chdir(INIT_CWD);
const program = new URL('../dist/scripts/unisum.js', import.meta.url);
await import(program.href);
