import type { Observer, StepRecord } from '../../coordinator/state/observer.js';
import { recipe } from '../../examples/mnist-mlp.js';
import { systemClock } from '../../shared/actor/clock.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { constant } from '../../shared/optim/schedule.js';
import { Trainer } from '../../trainer/trainer.js';
import { CuttingProxy } from './cutting-proxy.js';
import { Gauge, median, type Trend } from './gauge.js';
import { Program } from './process.js';

/** The faults: a worker's process is killed or frozen, or its connection is reset in the middle of a frame. */
const INJECTED_FAULTS = ['kill', 'kill', 'freeze', 'cut'] as const;
export type InjectedFault = (typeof INJECTED_FAULTS)[number];

/** An injected fault, and its cost. */
export interface FaultCost {
  readonly injectedFault: InjectedFault;
  /** The delay of the steps after the fault, compared with the median time of a step. */
  readonly lostMs: number;
}

/** The result of a soak test. */
export interface SoakResult {
  readonly faults: readonly FaultCost[];
  readonly steps: number;
  readonly medianStepMs: number;
  readonly weightsSha256: string;
  /** Resources of this process, which is the coordinator, and of the worker without faults, whenever all were at work. */
  readonly coordinator: Trend;
  readonly worker: Trend;
}

const WORKERS = 3;
/** Steps between two faults. */
const CALM_STEPS = 12;
const STEPS_MAX = 1_000_000_000;
const DAY_MS = 86_400_000;
const BATCH = { batch: 64, leafSize: 8 };

/**
 * Injects random faults into the workers of a real run, and replaces each worker that was killed or frozen. The first
 * worker gets no faults: it shows whether the memory of a worker grows during a long run.
 */
export class Soak implements Observer {
  private readonly random: SeededRandom;
  private readonly workers: { name: string; program: Program; proxy: CuttingProxy }[] = [];
  /** How often each worker has joined. */
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

  /** @param goesOn decides after each fault whether to go on, from the number of faults so far */
  async run(data: string, goesOn: (injectedFaults: number) => boolean): Promise<SoakResult> {
    const run = await start(data, STEPS_MAX, 0, this);
    const faults: FaultCost[] = [];
    try {
      const url = new URL(await run.coordinator.listen({ host: '127.0.0.1', port: 0 }));
      for (let i = 0; i < WORKERS; i++) await this.add(url);
      await this.calm();
      const [coordinator, worker] = [new Gauge('self'), new Gauge(this.workers[0]?.program.pid as number)];
      do {
        coordinator.sample();
        worker.sample();
        faults.push(await this.inject(url));
      } while (goesOn(faults.length));
      coordinator.sample();
      worker.sample();
      run.coordinator.interrupt();
      const { steps } = await run.coordinator.ended;
      return {
        faults,
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
    this.resolveWaiting();
  }

  notice(text: string): void {
    const name = /^(.+) joined /.exec(text)?.[1];
    if (name !== undefined) this.joins.set(name, this.joinsOf(name) + 1);
    const atWork = /(\d+) at work/.exec(text)?.[1];
    if (atWork !== undefined) this.atWork = Number(atWork);
    this.resolveWaiting();
  }

  evaluated(): void {}
  inspected(): void {}
  reported(): void {}

  private async inject(url: URL): Promise<FaultCost> {
    const usual = median(this.stepMs.slice(-CALM_STEPS));
    const injectedFault = INJECTED_FAULTS[this.random.below(INJECTED_FAULTS.length)] as InjectedFault;
    const [victim] = this.workers.splice(1 + this.random.below(this.workers.length - 1), 1) as [
      (typeof this.workers)[number],
    ];
    const joinsBefore = this.joinsOf(victim.name);
    // Waits for a random time, so that the fault does not occur at the beginning of a step.
    await new Promise<void>((resolve) => void systemClock.after(this.random.below(50), resolve));
    if (injectedFault === 'cut') {
      await victim.proxy.cutAfter(this.random.below(60_000));
      this.workers.push(victim);
    } else victim.program.signal(injectedFault === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    const before = this.steps;
    const beganMs = this.times.at(-1) as number;
    await this.until(() => this.steps >= before + 2);
    const lostMs = Math.max(0, (this.times.at(-1) as number) - beganMs - 2 * usual);
    if (injectedFault === 'cut') await this.until(() => this.joinsOf(victim.name) > joinsBefore);
    else {
      const name = await this.add(url);
      victim.program.signal('SIGKILL');
      await victim.program.ended;
      victim.proxy.close();
      await this.until(() => this.joinsOf(name) > 0);
    }
    await this.calm();
    return { injectedFault, lostMs };
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

  /** Resolves when all workers have been at work for some steps. */
  private async calm(): Promise<void> {
    await this.until(() => this.atWork === WORKERS);
    const before = this.steps;
    await this.until(() => this.steps >= before + CALM_STEPS);
  }

  private until(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ isOver, resolve });
      this.resolveWaiting();
    });
  }

  private resolveWaiting(): void {
    const over = this.waiting.filter(({ isOver }) => isOver());
    this.waiting = this.waiting.filter((one) => !over.includes(one));
    for (const { resolve } of over) resolve();
  }
}

/** The hash of the weights after as many steps without faults. */
export async function undisturbedSha256(data: string, steps: number): Promise<string> {
  const silent: Observer = { stepped() {}, evaluated() {}, inspected() {}, reported() {}, notice() {} };
  const run = await start(data, steps, 1, silent);
  try {
    run.start();
    await run.coordinator.ended;
    return weightsSha256(run.parameters());
  } finally {
    await run.close('done');
  }
}

async function start(data: string, steps: number, workers: number, observer: Observer): Promise<Trainer> {
  const request = {
    ...{ recipe, data: await recipe.data(data), ...BATCH, steps, seed: 1, workers },
    ...{ threads: 1, backend: 'auto' as const, minWorkers: workers === 0 ? WORKERS : 1, audit: 0 },
    optimizer: recipe.optimizer,
    learningRate: recipe.optimizer.learningRate,
    schedule: constant(),
  };
  return Trainer.prepare(request, observer, systemClock);
}
