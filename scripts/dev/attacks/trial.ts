import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../shared/actor/clock.js';
import { watchRun } from '../../../shared/link/watch-client.js';
import { connectWebSocket } from '../../../shared/link/web-socket-client.js';
import { hostAndPort, parseJoinUrl, WATCH_PATH } from '../../../shared/protocol/join-url.js';
import { watchToken } from '../../../shared/protocol/proof.js';
import type { TrainResult } from '../../../trainer/result.js';
import { processorMs } from '../processor-time.js';
import { Program } from '../soak/program.js';
import type { Attack } from './attacks.js';
import { type PairedRatio, pairedRatio } from './paired-ratio.js';

/** How a run is measured. */
export interface TrialPlan {
  readonly folder: string;
  /** Arguments of `train` that describe the training. */
  readonly args: readonly string[];
  /** How often it is attacked. */
  readonly pairs: number;
  readonly withoutMs: number;
  readonly withMs: number;
}

/** What an attack did to a run. */
export interface TrialReport {
  readonly attack: string;
  /** Steps per second: before and after each attack, and during it. */
  readonly without: readonly number[];
  readonly attacked: readonly number[];
  /** Of the steps per second. */
  readonly ratio: PairedRatio;
  /** Of the coordinator's processor time for each step, which other programs hardly change. Linux only: elsewhere it is NaN. */
  readonly processorRatio: PairedRatio;
  readonly least: number;
  /** Resident memory of the coordinator in MiB, before the first attack and at most during the attacks. */
  readonly memoryBefore: number;
  readonly memoryMost: number;
  readonly weightsSha256: string;
  /** Lines that the coordinator printed. */
  readonly lines: number;
}

/** Time until a run that has begun is measured, and until it is measured again after an attack. */
const WARM_UP_MS = 2000;
const SETTLE_MS = 1000;
const MEMORY_EVERY_MS = 100;
/** A run that tells nothing for so long stands still. */
const SILENT_MS = 5000;

/** A run without any attack. @returns its result */
export async function undisturbed({ folder, args }: TrialPlan): Promise<TrainResult> {
  return resultOf(await new Program(['train', ...args, '--workers', '1', '--json'], folder).ended);
}

/** Attacks a run, with pauses, and lets it end. @throws Error when the run fails */
export async function tryAttack(attack: Attack, plan: TrialPlan, clock: Clock): Promise<TrialReport> {
  const { folder, args, pairs, withoutMs, withMs } = plan;
  const open = ['--workers', '1', '--listen', '127.0.0.1:0', ...attack.args, '--json'];
  const coordinator = new Program(['train', ...args, ...open], folder);
  const [, url = ''] = await coordinator.prints(/worker '([^']+)'/);
  const steps = new StepCount(url, coordinator.pid as number, clock);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  try {
    await steps.begun;
    await pause(WARM_UP_MS);
    const memory = new MemoryGauge(coordinator.pid, clock);
    const memoryBefore = await memory.now();
    const without: Pace[] = [];
    const attacked: Pace[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      if (pair === 0) without.push(await steps.during(() => pause(withoutMs)));
      const attacker = attack.start(url, clock);
      await pause(attack.settleMs ?? 0);
      attacked.push(await steps.during(() => pause(withMs)));
      attacker.stop();
      await pause(SETTLE_MS);
      without.push(await steps.during(() => pause(withoutMs)));
    }
    memory.stop();
    const end = await coordinator.ended;
    const of = (key: keyof Pace) => {
      const [before, during] = [without, attacked].map((paces) => paces.map((pace) => pace[key]));
      return pairedRatio(before as number[], during as number[]);
    };
    const rates = (paces: readonly Pace[]): number[] => paces.map(({ stepsPerS }) => stepsPerS);
    return {
      ...{ attack: attack.name, without: rates(without), attacked: rates(attacked) },
      ...{ least: attack.least, memoryBefore },
      ...{ ratio: of('stepsPerS'), processorRatio: of('processorMsPerStep') },
      memoryMost: memory.most,
      weightsSha256: resultOf(end).weightsSha256,
      lines: end.stderr.split('\n').length,
    };
  } finally {
    steps.stop();
    coordinator.kill();
  }
}

function resultOf({ status, stdout, stderr }: Awaited<Program['ended']>): TrainResult {
  if (status !== 0) throw new Error(`the run ended with status ${status}:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as TrainResult;
}

/** How fast a run was in a stretch of time. */
interface Pace {
  readonly stepsPerS: number;
  readonly processorMsPerStep: number;
}

/** How far a run was: its news are paced, so `seconds` are the coordinator's, and `atMs` when they came. */
interface Mark {
  readonly step: number;
  readonly seconds: number;
  readonly atMs: number;
  readonly processorMs: number;
}

/** Counts the steps of a run, as a watcher of it. */
class StepCount {
  /** The first step is done. */
  readonly begun: Promise<void>;
  private latest = { step: 0, seconds: 0 };
  private onNews = (): void => {};
  private isOver = false;
  private readonly aborter = new AbortController();

  /** @param pid of the coordinator */
  constructor(
    url: string,
    private readonly pid: number,
    private readonly clock: Clock,
  ) {
    const joins = parseJoinUrl(url);
    this.begun = new Promise((resolve) => {
      this.onNews = resolve;
    });
    watchRun({
      ...{ token: watchToken(joins.token), peer: hostAndPort(joins), clock },
      connect: () => connectWebSocket(joins, clock, WATCH_PATH),
      onNews: (news) => {
        if (news.kind === 'ended') this.isOver = true;
        if (news.kind !== 'progress') return;
        this.latest = news;
        this.onNews();
      },
      onNotice: () => {},
      stop: this.aborter.signal,
    }).catch(() => {});
  }

  /** The pace while something happens, from the first news to the first after it. @throws Error when the run ends */
  async during(act: () => Promise<void>): Promise<Pace> {
    const first = await this.next();
    await act();
    const last = await this.next();
    if (this.isOver) throw new Error('the run ended before it was measured; give it more --steps');
    const stepsPerS = (last.step - first.step) / (last.seconds - first.seconds);
    const processors = (last.processorMs - first.processorMs) / (last.atMs - first.atMs);
    return { stepsPerS, processorMsPerStep: (1000 * processors) / stepsPerS };
  }

  stop(): void {
    this.aborter.abort();
  }

  /** The next news, or what is known of the run after five seconds without any. */
  private next(): Promise<Mark> {
    return new Promise((resolve) => {
      const mark = (silentS: number): void => {
        const { step, seconds } = this.latest;
        const [atMs, usedMs] = [this.clock.nowMs(), processorMs([this.pid])];
        resolve({ step, seconds: seconds + silentS, atMs, processorMs: usedMs });
      };
      const cancel = this.clock.after(SILENT_MS, () => mark(SILENT_MS / 1000));
      this.onNews = () => {
        cancel();
        mark(0);
      };
    });
  }
}

/** Reads the resident memory of a process again and again. Linux only: elsewhere it is NaN. */
class MemoryGauge {
  most = 0;
  private isStopped = false;

  constructor(
    private readonly pid: number | undefined,
    private readonly clock: Clock,
  ) {
    void this.look();
  }

  /** In MiB. */
  async now(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8').catch(() => '');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
  }

  stop(): void {
    this.isStopped = true;
  }

  private async look(): Promise<void> {
    const now = await this.now();
    if (now > this.most) this.most = now;
    if (!this.isStopped) this.clock.after(MEMORY_EVERY_MS, () => void this.look());
  }
}
