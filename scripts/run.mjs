// @ts-check
/**
 * Runs a command in the checkout: setup, then the compiled program in this same process, so that no second start-up
 * is paid for and Ctrl-C reaches the program.
 */
import { setupOrExit } from './setup.mjs';

setupOrExit();
const program = new URL('../dist/scripts/unisum.js', import.meta.url);
await import(program.href);
