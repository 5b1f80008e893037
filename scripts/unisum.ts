#!/usr/bin/env node
/** The program's entry point: `unisum` in an installed package, scripts/run.mjs in a checkout. */
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { systemClock } from '../shared/actor/clock.js';
import { userCache } from '../shared/user-folders.js';
import type { CommandContext } from './commands/command.js';
import { runProgram } from './commands/program.js';
import { commands } from './commands/table.js';
import { describeFailure, STACK_VARIABLE } from './terminal/failure.js';
import { Interrupts } from './terminal/interrupt.js';
import { flushed, processTerminal } from './terminal/terminal.js';

// Compiled code is kept from one start to the next, where Node can (22.8 and later) and the folder can be written.
const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(join(userCache(), 'compiled'));

const terminal = processTerminal();
const wantsStack = Boolean(process.env[STACK_VARIABLE]);
if (wantsStack) process.setSourceMapsEnabled(true);

// An error outside of any command also becomes one line and status 1.
process.on('uncaughtException', (error) => {
  const failure = describeFailure(error, wantsStack);
  terminal.say(failure.text);
  process.exit(failure.exitCode);
});

const interrupts = new Interrupts(process, systemClock, (status) => process.exit(status));
const context: CommandContext = {
  terminal,
  get interrupted() {
    return interrupts.signal;
  },
  interrupt: () => interrupts.interrupt(),
  hold: () => interrupts.hold(),
};
const status = await runProgram(process.argv.slice(2), commands, context, process.env);
await flushed(process.stdout);
await flushed(process.stderr);
// Explicit, so that an open socket or thread does not keep a finished program running.
process.exit(status);
