import type { Observer, StepRecord } from '../../coordinator/observer.js';
import { recipe } from '../../examples/mnist-mlp.js';
import { LocalRun } from '../../scripts/training/local-run.js';
import { systemClock } from '../../shared/actor/clock.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { constant } from '../../shared/optim/schedule.js';
import { CuttingProxy } from './cutting-proxy.js';
import { Gauge, median, type Trend } from './gauge.js';
import { Program } from './process.js';

/** What is done to a worker: its process killed or frozen, or its connection cut in the midst of a frame. */
const BLOWS = ['kill', 'kill', 'freeze', 'cut'] as const;
export type Blow = (typeof BLOWS)[number];

/** A blow, and what it cost. */
export interface Damage {
  readonly blow: Blow;
  /** How much later the step under way, or the next, was done than the usual time of a step after the one before. */
  readonly lostMs: number;
}

/** What a soak came to. */
export interface SoakResult {
  readonly damages: readonly Damage[];
  readonly steps: number;
  readonly medianStepMs: number;
  readonly weightsSha256: string;
  /** Of this process, which is the coordinator, and of the worker that is spared, whenever all were at work. */
  readonly coordinator: Trend;
  readonly worker: Trend;
}

const WORKERS = 3;
/** Steps after a blow before the next. */
const CALM_STEPS = 12;
const FOR_EVER = 1_000_000_000;
const DAY_MS = 86_400_000;
const BATCH = { batch: 64, leaf: 8 };

/**
 * Strikes workers of a real run at random, each replaced by another process, as long as is asked for. The first is spared:
 * whoever lives as long as the run must not grow.
 */
export class Soak implements Observer {
  private readonly random: SeededRandom;
  private readonly workers: { name: string; program: Program; proxy: CuttingProxy }[] = [];
  /** How often each has joined. */
  private readonly joins = new Map<string, number>();
  private readonly stepMs: number[] = [];
  private readonly times: number[] = [];
  private waiting: { isOver: () => boolean; resolve: () => void }[] = [];
  private steps = 0;
  private atWork = 0;
  private names = 0;

  constructor(
    seed: number,
    private readonly folder: string,
  ) {
    this.random = new SeededRandom(seed);
  }

  /** @param goesOn asked after each blow, with the number of those that were dealt */
  async run(data: string, goesOn: (blows: number) => boolean): Promise<SoakResult> {
    const run = await start(data, FOR_EVER, 0, this);
    const damages: Damage[] = [];
    try {
      const url = new URL(await run.coordinator.listen({ host: '127.0.0.1', port: 0 }));
      for (let i = 0; i < WORKERS; i++) await this.add(url);
      await this.calm();
      const [coordinator, worker] = [new Gauge('self'), new Gauge(this.workers[0]?.program.pid as number)];
      do {
        coordinator.sample();
        worker.sample();
        damages.push(await this.strike(url));
      } while (goesOn(damages.length));
      coordinator.sample();
      worker.sample();
      run.coordinator.interrupt();
      const { steps } = await run.coordinator.ended;
      return {
        damages,
        steps,
        medianStepMs: median(this.stepMs),
        weightsSha256: weightsSha256(run.parameters()),
        coordinator: coordinator.trend(),
        worker: worker.trend(),
      };
    } finally {
      await run.close('the soak is over');
      for (const { program, proxy } of this.workers) {
        program.signal('SIGKILL');
        proxy.close();
      }
      await Promise.all(this.workers.map(({ program }) => program.ended));
    }
  }

  stepped({ step }: StepRecord): void {
    const now = systemClock.nowMs();
    const last = this.times.at(-1);
    if (last !== undefined) this.stepMs.push(now - last);
    this.times.push(now);
    this.steps = step;
    this.look();
  }

  notice(text: string): void {
    const name = /^(.+) joined /.exec(text)?.[1];
    if (name !== undefined) this.joins.set(name, this.joinsOf(name) + 1);
    const atWork = /(\d+) at work/.exec(text)?.[1];
    if (atWork !== undefined) this.atWork = Number(atWork);
    this.look();
  }

  evaluated(): void {}
  watched(): void {}
  reported(): void {}

  private async strike(url: URL): Promise<Damage> {
    const usual = median(this.stepMs.slice(-CALM_STEPS));
    const blow = BLOWS[this.random.below(BLOWS.length)] as Blow;
    const [victim] = this.workers.splice(1 + this.random.below(this.workers.length - 1), 1) as [
      (typeof this.workers)[number],
    ];
    const joinsBefore = this.joinsOf(victim.name);
    // Somewhere in a step, not at its beginning.
    await new Promise<void>((resolve) => void systemClock.after(this.random.below(50), resolve));
    if (blow === 'cut') {
      await victim.proxy.cutAfter(this.random.below(60_000));
      this.workers.push(victim);
    } else victim.program.signal(blow === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    const before = this.steps;
    const beganMs = this.times.at(-1) as number;
    await this.until(() => this.steps >= before + 2);
    const lostMs = Math.max(0, (this.times.at(-1) as number) - beganMs - 2 * usual);
    if (blow === 'cut') await this.until(() => this.joinsOf(victim.name) > joinsBefore);
    else {
      const name = await this.add(url);
      victim.program.signal('SIGKILL');
      await victim.program.ended;
      victim.proxy.close();
      await this.until(() => this.joinsOf(name) > 0);
    }
    await this.calm();
    return { blow, lostMs };
  }

  /** Returns the name of the new worker. */
  private async add(url: URL): Promise<string> {
    const proxy = await CuttingProxy.start(Number(url.port));
    const near = new URL(url);
    near.port = String(proxy.port);
    const name = `worker ${++this.names}`;
    this.workers.push({
      name,
      program: new Program(['worker', near.href, '--name', name], this.folder, { lifeMsMax: DAY_MS }),
      proxy,
    });
    return name;
  }

  private joinsOf(name: string): number {
    return this.joins.get(name) ?? 0;
  }

  /** Everyone is at work, and has been for some steps. */
  private async calm(): Promise<void> {
    await this.until(() => this.atWork === WORKERS);
    const before = this.steps;
    await this.until(() => this.steps >= before + CALM_STEPS);
  }

  private until(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ isOver, resolve });
      this.look();
    });
  }

  private look(): void {
    const over = this.waiting.filter(({ isOver }) => isOver());
    this.waiting = this.waiting.filter((one) => !over.includes(one));
    for (const { resolve } of over) resolve();
  }
}

/** The weights that as many steps give when nobody is struck. */
export async function undisturbedSha256(data: string, steps: number): Promise<string> {
  const nobody: Observer = { stepped() {}, evaluated() {}, watched() {}, reported() {}, notice() {} };
  const run = await start(data, steps, 1, nobody);
  try {
    run.begin(systemClock);
    await run.coordinator.ended;
    return weightsSha256(run.parameters());
  } finally {
    await run.close('done');
  }
}

async function start(data: string, steps: number, workers: number, observer: Observer): Promise<LocalRun> {
  const request = {
    ...{ recipe, data: await recipe.data(data), ...BATCH, steps, seed: 1, workers },
    ...{ threads: 1, backend: 'auto' as const, minWorkers: workers === 0 ? WORKERS : 1, audit: 0 },
    optimizer: recipe.optimizer,
    learningRate: recipe.optimizer.learningRate,
    schedule: constant(),
  };
  return LocalRun.prepare(request, observer, systemClock);
}
