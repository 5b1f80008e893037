/*
 * The coordinator of a joining benchmark: a process that trains with one local worker of one thread, lets others join on
 * the loopback address, and prints its join URL and then a JoiningRun, one line each. Argument: a CoordinatorTask as JSON.
 */
import type { Observer, RunEvent, StepRecord } from '../../coordinator/state/observer.js';
import { systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { constant } from '../../shared/optim/schedule.js';
import { Trainer } from '../../trainer/trainer.js';
import { findRecipe } from '../commands/recipes.js';
import { type CoordinatorTask, type JoiningRun, REFUSED } from './joining-bench.js';
import { WORKLOADS } from './workloads.js';

/** Steps that are told so soon after another belong to one execution, or are too short to tell apart. */
const TOGETHER_MS = 1;

/** Time spent in training, without evaluations, after each step or execution. */
class TrainingTime implements Observer {
  evaluationsMs = 0;
  private togetherSinceMs = Number.NEGATIVE_INFINITY;
  readonly marks: { readonly step: number; readonly ms: number }[] = [];
  readonly placements: string[] = [];
  readonly notices: string[] = [];

  stepped({ step }: StepRecord): void {
    const ms = systemClock.nowMs() - this.evaluationsMs;
    // The steps of an execution are told together, when its last one is done.
    if (ms - this.togetherSinceMs < TOGETHER_MS) this.marks.pop();
    else this.togetherSinceMs = ms;
    this.marks.push({ step, ms });
  }

  evaluated(_step: number, _means: object, tookMs: number): void {
    this.evaluationsMs += tookMs;
  }

  reported(event: RunEvent): void {
    if (event.event === 'placement') this.placements.push(event.reason);
  }

  inspected(): void {}

  notice(text: string): void {
    this.notices.push(text);
  }
}

const { name, data, batch, steps, backend } = JSON.parse(process.argv[2] ?? '') as CoordinatorTask;
const recipe = WORKLOADS.find((workload) => workload.name === name) ?? (await findRecipe(name).load());
const { optimizer, leafSize, schedule = constant(), clipping, gradientNoise } = recipe;
const dataset = await recipe.data(data).catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  process.stdout.write(`${REFUSED}${error.message} (bench takes it as --data)\n`);
  process.exit(error.exitCode);
});
const time = new TrainingTime();
const request = {
  ...{ recipe, data: dataset, batch, leafSize: Math.min(leafSize, batch), steps, backend },
  ...{ seed: 1, optimizer, learningRate: optimizer.learningRate, schedule, clipping, gradientNoise },
  ...{ workers: 1, threads: 1, minWorkers: 1, audit: 0 },
};
const run = await Trainer.prepare(request, time, systemClock);
const url = await run.coordinator.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${url}\n`);
const processor = process.cpuUsage();
const begunMs = systemClock.nowMs();
run.start();
const end = await run.coordinator.ended;
const seconds = (systemClock.nowMs() - begunMs - time.evaluationsMs) / 1000;
const { user, system } = process.cpuUsage(processor);
const [first, last] = [time.marks.find(({ step }) => step >= steps / 2), time.marks.at(-1)];
const elsewhere = end.members.filter(({ name }) => !name.startsWith('local'));
const result: JoiningRun = {
  usPerStep: (seconds * 1e6) / end.steps,
  settledUsPerStep:
    first === undefined || last === undefined ? 0 : ((last.ms - first.ms) * 1000) / (last.step - first.step),
  processorUsPerStep: (user + system) / end.steps,
  share: elsewhere.reduce((sum, { samples }) => sum + samples, 0) / (batch * end.steps),
  placements: time.placements,
  notices: time.notices,
  weightsSha256: weightsSha256(run.parameters()),
};
await run.close('measured');
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
