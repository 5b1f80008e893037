import { createInterface } from 'node:readline/promises';
import { systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { type FoundRun, findRuns } from '../../shared/link/local-network.js';
import { hostAndPort } from '../../shared/protocol/join-url.js';
import type { Terminal } from '../terminal/terminal.js';

/**
 * Has the user choose a run of the local network. Where it listens is known then; the token and the fingerprint of its certificate
 * must come from its owner, or anybody on the network could answer in its place.
 * @returns its join line
 * @throws UserError when there is no run, or none is chosen
 */
export async function findRun(terminal: Terminal): Promise<string> {
  terminal.say('looking for runs on the local network (3 s)');
  const runs = await findRuns(systemClock, (text) => terminal.say(`a network cannot be asked: ${text}`));
  if (runs.length === 0)
    throw new UserError(
      'no run is announced on the local network: give the join line that the run printed, or --join-file FILE, or start the run with --announce',
      2,
    );
  for (const [i, run] of runs.entries()) terminal.say(`${i + 1}  ${describe(run)}`);
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const answers = lines[Symbol.asyncIterator]();
  try {
    const ask = async (question: string): Promise<string> => {
      process.stderr.write(question);
      const { value, done } = await answers.next();
      if (!done) return value.trim();
      process.stderr.write('\n');
      throw new UserError('nothing was answered: give the join line that the run printed', 2);
    };
    const number = runs.length === 1 ? '1' : await ask(`which one? (1-${runs.length}) `);
    const run = /^\d+$/.test(number) ? runs[Number(number) - 1] : undefined;
    if (run === undefined) throw new UserError(`there is no run ${number || '""'}: start again`, 2);
    const rest = await ask(`what follows # in the join line of ${run.recipe} on ${run.machine}: `);
    return `${run.isEncrypted ? 'wss' : 'ws'}://${hostAndPort(run)}/#${rest.replace(/^.*#/, '')}`;
  } finally {
    lines.close();
  }
}

function describe({ recipe, machine, isEncrypted, ...at }: FoundRun): string {
  return `${recipe} on ${machine}, ${hostAndPort(at)}${isEncrypted ? '' : ', not encrypted'}`;
}
