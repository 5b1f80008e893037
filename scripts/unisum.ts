#!/usr/bin/env node
/** The program: what `unisum` starts in an installed package and scripts/run.mjs in a checkout. */
import { systemClock } from '../shared/actor/clock.js';
import { runProgram } from './commands/program.js';
import { commands } from './commands/table.js';
import { describeFailure, STACK_VARIABLE } from './terminal/failure.js';
import { interruptedStatus, watchInterrupts } from './terminal/interrupt.js';
import { flushed, processTerminal } from './terminal/terminal.js';

const terminal = processTerminal();
const wantsStack = Boolean(process.env[STACK_VARIABLE]);
if (wantsStack) process.setSourceMapsEnabled(true);

// An error that no command awaits still ends as one line and status 1.
process.on('uncaughtException', (error) => {
  const failure = describeFailure(error, wantsStack);
  terminal.say(failure.text);
  process.exit(failure.exitCode);
});

const interrupted: AbortSignal = watchInterrupts(process, systemClock.nowMs, () =>
  process.exit(interruptedStatus(interrupted)),
);
const status = await runProgram(process.argv.slice(2), commands, { terminal, interrupted }, process.env);
await flushed(process.stdout);
await flushed(process.stderr);
// Explicit, so that a command which is done ends, whatever socket or thread may be left open.
process.exit(status);
