import { systemClock } from '../../shared/actor/clock.js';
import { randomSeed } from '../../shared/actor/rng.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { UserError } from '../../shared/errors.js';
import { toPlainText } from '../../shared/protocol/text.js';
import type { ComputeSettings } from '../../trainer/options/compute-options.js';
import { isReceipt } from '../../trainer/receipt/receipt.js';
import { verifyReceipt } from '../../trainer/receipt/receipt-verification.js';
import { type Verification, type VerifyRequest, verifyRun } from '../../trainer/replay/verification.js';
import type { Terminal } from '../terminal/terminal.js';
import type { CommandContext } from './command.js';
import { sessionResolver } from './session-resolver.js';

/** Longest line of the answer. */
const LINE_CHARACTERS_MAX = 4096;

/** Which run to verify, and how. */
export interface VerifySettings extends ComputeSettings {
  readonly path: string;
  readonly workers: number;
  /** How many steps are drawn, each with the span around it; undefined: all of the run is computed. */
  readonly sample: number | undefined;
  /** The file of a recipe that may be run; undefined: none. */
  readonly recipe: string | undefined;
  /** Where the data are; undefined: where the run had them. */
  readonly data: string | undefined;
  /** A run directory with states for a sample of a receipt; undefined: none. */
  readonly checkpoints: string | undefined;
  readonly trustedWeights: readonly string[];
  readonly json: boolean;
}

/**
 * Verifies a run, and prints what is proven and what is not.
 * @throws UserError when the run is not proven
 */
export async function verify(settings: VerifySettings, { terminal }: CommandContext): Promise<void> {
  const { path, workers, threads, backend, sample: draws, trustedWeights, json } = settings;
  const request: VerifyRequest = {
    resolve: sessionResolver(settings, terminal.stderr),
    computers: { workers, threads, backend, clock: systemClock },
    random: new SeededRandom(randomSeed()),
    ...{ draws, trustedWeights },
    onProgress: (line) => terminal.say(plain(line)),
  };
  try {
    const verification = await verifyRunOrReceipt(settings, request);
    describe(path, verification, terminal);
    if (json) terminal.result(verification);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (json) terminal.result({ ok: false, weightsSha256: null, checkedSteps: 0, problem: error.message });
    throw new UserError(`${path} is not proven: ${plain(error.message)}`, error.exitCode);
  }
}

function describe(path: string, { mode, proven, notProven }: Verification, terminal: Terminal): void {
  terminal.say(`${path} is proven${mode === 'full' ? '' : ' by samples'}:`);
  for (const fact of proven) terminal.say(`  + ${plain(fact)}`);
  terminal.say('not proven:');
  for (const fact of notProven) terminal.say(`  - ${plain(fact)}`);
}

/** What is said may have words of the record, which must not look like lines of this program. */
function plain(text: string): string {
  return toPlainText(text, LINE_CHARACTERS_MAX);
}

async function verifyRunOrReceipt(
  { path, checkpoints }: VerifySettings,
  request: VerifyRequest,
): Promise<Verification> {
  if (await isReceipt(path)) return verifyReceipt(path, checkpoints, request);
  if (checkpoints !== undefined)
    throw new UserError('--checkpoints goes with a receipt, and a run has its own; leave it out', 2);
  return verifyRun(path, request);
}
