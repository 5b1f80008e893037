import { join } from 'node:path';
import type { Clock } from '../../../shared/actor/clock.js';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { exists } from '../../../shared/files/read-file.js';
import type { TrainResult } from '../../../trainer/result.js';
import { Program, type ProgramEnd } from './program.js';

/** A run whose coordinator is killed repeatedly. */
export interface KillPlan {
  /** The folder of the run; must be empty. */
  readonly folder: string;
  /** Arguments of `train` that describe the training. */
  readonly args: readonly string[];
  /** Whether workers connect over TLS; the certificate must stay the same. */
  readonly tls: boolean;
  readonly kills: number;
  /** Number of worker processes, which are not killed. */
  readonly workers: number;
  /** Longest time until a coordinator is killed, from its start or its first step; uniformly distributed. */
  readonly lifeMsMax: number;
  /** Seed of these times. */
  readonly seed: number;
}

/** The result. */
export interface KillReport {
  /** The weights hash of the run, and that of an uninterrupted run. */
  readonly weightsSha256: string;
  readonly expected: string;
  /** The step from which each coordinator except the first resumed. */
  readonly from: readonly number[];
  readonly seconds: number;
}

const RUN = 'run';

/**
 * Kills the coordinator of a run at random instants and resumes it with `--resume`; its workers must reconnect by themselves
 * each time.
 * @throws Error when a process ends unexpectedly
 */
export async function killCoordinators(
  plan: KillPlan,
  clock: Clock,
  log: (line: string) => void = () => {},
): Promise<KillReport> {
  const { folder, args, tls, kills, workers, lifeMsMax } = plan;
  const random = new SeededRandom(plan.seed);
  const startMs = clock.nowMs();
  const start = (...words: readonly string[]): Program => new Program(words, folder);
  const uninterrupted = resultOf(await start('train', ...args, '--workers', '1', '--json').ended);

  // No local workers: no step runs before the remote workers have reconnected.
  const encrypted = tls ? ['--tls'] : [];
  const open = ['--listen', '127.0.0.1:0', ...encrypted, '--workers', '0', '--min-workers', String(workers)];
  let coordinator = start('train', ...args, ...open, '--run-dir', RUN, '--json');
  const processes = new Set([coordinator]);
  try {
    const [, url = ''] = await coordinator.prints(/worker '([^']+)'/);
    const remoteWorkers = Array.from({ length: workers }, (_, i) =>
      start('worker', url, '--name', `worker ${i + 1}`, '--json'),
    );
    let lost: string | undefined;
    for (const worker of remoteWorkers) {
      processes.add(worker);
      // Without its workers the run would wait forever.
      void worker.ended.then(({ status, stderr }) => {
        if (status === 0) return;
        lost = `a worker ended with ${status}:\n${stderr}`;
        coordinator.kill();
      });
    }
    const from: number[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      // Three of four coordinators are killed after their first step, the others possibly during start-up.
      if (random.chance(0.75)) await coordinator.prints(/loss /).catch(() => undefined);
      const lifeMs = random.below(lifeMsMax);
      await new Promise<void>((resolve) => void clock.after(lifeMs, resolve));
      coordinator.kill();
      const { status, stderr } = await coordinator.ended;
      if (lost !== undefined) throw new Error(lost);
      if (status !== null)
        throw new Error(`the coordinator ended by itself after ${kill - 1} kills:\n${stderr}`);
      const step = Number(/ resumes from step (\d+)/.exec(stderr)?.[1] ?? -1);
      if (kill > 1) from.push(step);
      log(`kill ${kill}, after ${lifeMs} ms: it had resumed from step ${step}`);
      processes.delete(coordinator);
      if (!(await exists(join(folder, RUN, 'config.json'))))
        throw new Error('the run has no config.json any more');
      coordinator = start('train', '--resume', RUN, '--json');
      processes.add(coordinator);
    }
    const end = await coordinator.ended;
    await Promise.all(remoteWorkers.map((worker) => worker.ended));
    if (lost !== undefined) throw new Error(lost);
    const result = resultOf(end);
    return {
      weightsSha256: result.weightsSha256,
      expected: uninterrupted.weightsSha256,
      from,
      seconds: (clock.nowMs() - startMs) / 1000,
    };
  } finally {
    for (const process of processes) process.kill();
  }
}

function resultOf({ status, stdout, stderr }: ProgramEnd): TrainResult {
  if (status !== 0) throw new Error(`the run ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout) as TrainResult;
}
