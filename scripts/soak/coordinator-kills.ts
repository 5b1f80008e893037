import { join } from 'node:path';
import type { Clock } from '../../shared/actor/clock.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { exists } from '../../shared/files/read-file.js';
import type { TrainResult } from '../training/result.js';
import { Program, type ProgramEnd } from './program.js';

/** What is to be seen: a run whose coordinator is killed again and again. */
export interface KillPlan {
  /** Where the run writes; empty. */
  readonly folder: string;
  /** Words behind `train`: what is trained. */
  readonly args: readonly string[];
  /** Whether workers come over TLS, and find the same certificate again each time. */
  readonly tls: boolean;
  readonly kills: number;
  /** Worker processes, which nobody kills. */
  readonly workers: number;
  /** Longest time until a coordinator is killed, from its start or its first step on: any up to it is as likely. */
  readonly lifeMsMax: number;
  /** Decides how long each lives. */
  readonly seed: number;
}

/** What was seen. */
export interface KillReport {
  /** The run's hash, and that of one that nobody disturbed. */
  readonly weightsSha256: string;
  readonly expected: string;
  /** The step from which each coordinator but the first went on. */
  readonly from: readonly number[];
  readonly seconds: number;
}

const RUN = 'run';

/**
 * Kills the coordinator of a run at random instants and lets it go on by `--resume`; its workers must come back by
 * themselves, every time.
 * @throws Error when a process ends otherwise than it should
 */
export async function killCoordinators(
  plan: KillPlan,
  clock: Clock,
  tell: (line: string) => void = () => {},
): Promise<KillReport> {
  const { folder, args, tls, kills, workers, lifeMsMax } = plan;
  const random = new SeededRandom(plan.seed);
  const begunMs = clock.nowMs();
  const start = (...words: readonly string[]): Program => new Program(words, folder);
  const undisturbed = resultOf(await start('train', ...args, '--workers', '1', '--json').ended);

  // No local workers: nothing is done before others have come back.
  const encrypted = tls ? ['--tls'] : [];
  const open = ['--listen', '127.0.0.1:0', ...encrypted, '--workers', '0', '--min-workers', String(workers)];
  let coordinator = start('train', ...args, ...open, '--run-dir', RUN, '--json');
  const processes = new Set([coordinator]);
  try {
    const [, url = ''] = await coordinator.prints(/worker '([^']+)'/);
    const guests = Array.from({ length: workers }, (_, i) =>
      start('worker', url, '--name', `guest ${i + 1}`, '--json'),
    );
    let lost: string | undefined;
    for (const guest of guests) {
      processes.add(guest);
      // Without its workers the run would wait for ever.
      void guest.ended.then(({ status, stderr }) => {
        if (status === 0) return;
        lost = `a worker ended with ${status}:\n${stderr}`;
        coordinator.kill();
      });
    }
    const from: number[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      // Three of four are let to begin their work; what is done before that must be interruptible as well.
      if (random.chance(0.75)) await coordinator.prints(/loss /).catch(() => undefined);
      const lifeMs = random.below(lifeMsMax);
      await new Promise<void>((resolve) => void clock.after(lifeMs, resolve));
      coordinator.kill();
      const { status, stderr } = await coordinator.ended;
      if (lost !== undefined) throw new Error(lost);
      if (status !== null)
        throw new Error(`the coordinator ended by itself after ${kill - 1} kills:\n${stderr}`);
      const step = Number(/ goes on from step (\d+)/.exec(stderr)?.[1] ?? -1);
      if (kill > 1) from.push(step);
      tell(`kill ${kill}, after ${lifeMs} ms: it had gone on from step ${step}`);
      processes.delete(coordinator);
      if (!(await exists(join(folder, RUN, 'config.json')))) throw new Error('the run has lost its files');
      coordinator = start('train', '--resume', RUN, '--json');
      processes.add(coordinator);
    }
    const end = await coordinator.ended;
    await Promise.all(guests.map((guest) => guest.ended));
    if (lost !== undefined) throw new Error(lost);
    const result = resultOf(end);
    return {
      weightsSha256: result.weightsSha256,
      expected: undisturbed.weightsSha256,
      from,
      seconds: (clock.nowMs() - begunMs) / 1000,
    };
  } finally {
    for (const process of processes) process.kill();
  }
}

function resultOf({ status, stdout, stderr }: ProgramEnd): TrainResult {
  if (status !== 0) throw new Error(`the run ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout) as TrainResult;
}
