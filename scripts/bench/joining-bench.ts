import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Cancel, Clock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { formatJoinUrl, parseJoinUrl } from '../../shared/protocol/join-url.js';
import { checkHashes } from './step-bench.js';
import { timeStats } from './time-stats.js';

/** Steps of the run that estimates the time of a step, and of the one that corrects it. */
const ESTIMATE_STEPS = 40;
const ESTIMATE_MS = 500;
const STEPS_MAX = 10_000_000;
/** A machine that is stopped now and then: once in so many milliseconds. */
const PAUSE_EVERY_MS = 1000;
/** The port of the discard protocol, at which nobody listens. */
const NOBODY_PORT = 9;

/** A coordinator process that cannot train begins its line with this. */
export const REFUSED = 'refused: ';

/** What a coordinator process of the benchmark trains. */
export interface CoordinatorTask {
  /** A workload, a recipe, or the path of a recipe file. */
  readonly name: string;
  /** Local copy of the data. */
  readonly data: string | undefined;
  readonly batch: number;
  readonly steps: number;
  readonly backend: 'auto' | Backend;
}

/** What it prints at the end. */
export interface JoiningRun {
  /** Over the whole run, joining included, evaluations not. */
  readonly usPerStep: number;
  /** The same over the second half of the steps. */
  readonly settledUsPerStep: number;
  /** Processor time of the coordinator's process, its local thread included. */
  readonly processorUsPerStep: number;
  /** Part of the samples that the second machine computed. */
  readonly share: number;
  /** Why the choice of helpers changed, in order. */
  readonly placements: readonly string[];
  readonly notices: readonly string[];
  readonly weightsSha256: string;
}

/** A benchmark's settings. */
export interface JoiningRequest extends Omit<CoordinatorTask, 'steps'> {
  /** Time that a run should take alone. */
  readonly seconds: number;
  readonly repeats: number;
  /** Shape of the network, such as "20mbit,30ms"; undefined: the loopback interface as it is. */
  readonly net: string | undefined;
  /** Part of each second in which the second machine is stopped. */
  readonly pause: number;
  /** Measures runs alone beside a process that starts as the second machine does, and never joins. */
  readonly control: boolean;
  readonly say: (line: string) => void;
}

/** One run of each kind. */
export interface JoiningPair {
  readonly alone: JoiningRun;
  readonly joined: JoiningRun;
  readonly control?: JoiningRun;
}

/** Runs alone and with a second machine, in pairs. */
export interface JoiningResult {
  readonly workload: string;
  readonly batch: number;
  readonly steps: number;
  readonly net: string | undefined;
  readonly pause: number;
  /** Whether each machine is pinned to a core of its own. */
  readonly isPinned: boolean;
  /** Medians. */
  readonly aloneUsPerStep: number;
  readonly joinedUsPerStep: number;
  /** Median over pairs of the time alone over the time with a second machine: above 1, it makes the run faster. */
  readonly ratio: number;
  readonly leastRatio: number;
  /** The same over the second half of each run. */
  readonly settledRatio: number;
  /** Processor time of the coordinator's process alone over that with a second machine. */
  readonly processorRatio: number;
  /**
   * Median of the time alone over the time alone beside a process that starts on the second core and never joins: what the two
   * cores share costs so much.
   */
  readonly controlRatio?: number;
  readonly pairs: readonly JoiningPair[];
  readonly weightsSha256: string;
}

/**
 * Measures what a second machine does to the speed of a run: the same run alone and with a worker process that joins it, in
 * turn. Each of the two has a core of its own, where the system can pin processes.
 * @throws UserError when a process fails, or two runs end with different weights
 */
export async function benchJoining(request: JoiningRequest, clock: Clock): Promise<JoiningResult> {
  const { name, batch, repeats, net, pause, control, say } = request;
  const isPinned = canPin();
  const alone = (steps: number): Promise<JoiningRun> => runOnce(request, steps, 'alone', isPinned, clock);
  // What a process does once, such as compiling, hides the time of a short step: each estimate is several times as long as the last.
  let steps = ESTIMATE_STEPS;
  for (const ms of [ESTIMATE_MS, Math.sqrt(ESTIMATE_MS * request.seconds * 1000), request.seconds * 1000])
    steps = stepsOf(ms, (await alone(steps)).usPerStep);
  const pairs: JoiningPair[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const pair = {
      alone: await alone(steps),
      joined: await runOnce(request, steps, 'joined', isPinned, clock),
      ...(control && { control: await runOnce(request, steps, 'beside', isPinned, clock) }),
    };
    pairs.push(pair);
    say(`${name}, batch ${batch}: pair ${repeat + 1} of ${repeats}, ratio ${ratioOf(pair).toFixed(3)}`);
  }
  const runs = pairs.flatMap((pair) => [pair.alone, pair.joined, ...(pair.control ? [pair.control] : [])]);
  checkHashes(
    `${name}, batch ${batch}`,
    runs.map(({ weightsSha256 }, i): [string, string] => [`run ${i + 1}`, weightsSha256]),
  );
  const median = (values: readonly number[]): number => timeStats(values).median;
  return {
    ...{ workload: name, batch, steps, net, pause, isPinned },
    aloneUsPerStep: median(pairs.map(({ alone }) => alone.usPerStep)),
    joinedUsPerStep: median(pairs.map(({ joined }) => joined.usPerStep)),
    ratio: median(pairs.map(ratioOf)),
    leastRatio: Math.min(...pairs.map(ratioOf)),
    settledRatio: median(pairs.map(({ alone, joined }) => alone.settledUsPerStep / joined.settledUsPerStep)),
    processorRatio: median(
      pairs.map(({ alone, joined }) => alone.processorUsPerStep / joined.processorUsPerStep),
    ),
    ...(control && {
      controlRatio: median(
        pairs.map(({ alone, control }) => alone.usPerStep / (control as JoiningRun).usPerStep),
      ),
    }),
    pairs,
    weightsSha256: runs[0]?.weightsSha256 ?? '',
  };
}

function ratioOf({ alone, joined }: JoiningPair): number {
  return alone.usPerStep / joined.usPerStep;
}

function stepsOf(ms: number, usPerStep: number): number {
  return Math.min(Math.max(ESTIMATE_STEPS, Math.round((ms * 1000) / usPerStep)), STEPS_MAX);
}

async function runOnce(
  { name, data, batch, backend, net, pause }: JoiningRequest,
  steps: number,
  kind: 'alone' | 'joined' | 'beside',
  isPinned: boolean,
  clock: Clock,
): Promise<JoiningRun> {
  const task: CoordinatorTask = { name, data, batch, steps, backend };
  const coordinator = startOn(0, isPinned, './joining-coordinator.js', [JSON.stringify(task)]);
  let worker: ChildProcess | undefined;
  let endPauses: Cancel = () => {};
  try {
    const lines = createInterface({ input: coordinator.stdout as NodeJS.ReadableStream });
    const output = lines[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value, done } = await output.next();
      if (done === true) throw new UserError(`the run of ${name} ended without a result`);
      if (value.startsWith(REFUSED)) throw new UserError(value.slice(REFUSED.length), 2);
      return value;
    };
    const url = await next();
    if (kind !== 'alone') {
      const shape = net === undefined ? [] : [net];
      const address = kind === 'joined' ? url : formatJoinUrl({ ...parseJoinUrl(url), port: NOBODY_PORT });
      worker = startOn(1, isPinned, './loopback-worker.js', [
        address,
        'second machine',
        '1',
        backend,
        ...shape,
      ]);
      worker.stdout?.resume();
      if (pause > 0) endPauses = pauseNowAndThen(worker, pause, clock);
    }
    return JSON.parse(await next()) as JoiningRun;
  } finally {
    endPauses();
    worker?.kill('SIGKILL');
    coordinator.kill('SIGKILL');
  }
}

/** Stops a process for a part of each second. */
function pauseNowAndThen(child: ChildProcess, part: number, clock: Clock): Cancel {
  let cancel: Cancel = () => {};
  const pause = (): void => {
    child.kill('SIGSTOP');
    cancel = clock.after(part * PAUSE_EVERY_MS, () => {
      child.kill('SIGCONT');
      cancel = clock.after((1 - part) * PAUSE_EVERY_MS, pause);
    });
  };
  pause();
  return () => cancel();
}

/** Whether this system can keep a process on one of at least two cores. */
function canPin(): boolean {
  return spawnSync('taskset', ['-c', '1', 'true']).status === 0;
}

function startOn(core: number, isPinned: boolean, entry: string, args: readonly string[]): ChildProcess {
  const program = [process.execPath, fileURLToPath(new URL(entry, import.meta.url)), ...args];
  const [command = '', ...rest] = isPinned ? ['taskset', '-c', String(core), ...program] : program;
  return spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}
