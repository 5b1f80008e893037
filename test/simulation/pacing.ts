import { coordinate } from '../../coordinator/coordinator.js';
import { pause } from '../../scripts/simulation/harm.js';
import type { Setting } from '../../scripts/simulation/plan.js';
import { World } from '../../scripts/simulation/world.js';

/** A run of which only the pace is looked at. */
export interface Pacing {
  readonly workers: number;
  readonly steps: number;
  /** Of a batch; all are whole. */
  readonly leaves: number;
  /** How many times slower than the others a member is. */
  readonly slow?: Readonly<Record<string, number>>;
  /** Who stands still in the midst of which step, for good. */
  readonly freeze?: { readonly name: string; readonly inStep: number };
}

const MS_PER_LEAF = 4;
/** Under way in one direction. */
const DELAY_MS = 1;
const LIMIT_MS = 600_000;

/** How long each step takes, in virtual milliseconds. */
export async function stepsOf({ workers, steps, leaves, slow = {}, freeze }: Pacing): Promise<number[]> {
  const setting: Setting = {
    ...{
      seed: 1,
      steps,
      workers,
      locals: 0,
      minWorkers: workers,
      audit: 0,
      faults: [],
      liars: 0,
      lieChance: 0,
    },
    ...{ isStrict: true, saveEvery: 0, leaves },
  };
  const endsMs: number[] = [];
  const trace = (line: string): void => {
    if (/ step \d+ is done$/.test(line)) endsMs.push(world.clock.nowMs());
    if (freeze === undefined || !line.endsWith(`step ${freeze.inStep - 1} is done`)) return;
    const usualMs = (endsMs.at(-1) as number) - (endsMs.at(-2) as number);
    world.clock.after(usualMs / 2, () => pause(world, world.named(freeze.name), LIMIT_MS));
  };
  const weather = () => ({ delayMs: () => DELAY_MS, newsMs: () => DELAY_MS, silenceMs: 10_000 });
  const world = new World(setting, { weather, msPerLeaf: () => MS_PER_LEAF, trace, decide: coordinate });
  for (let i = 1; i <= workers; i++) world.join(`node-${i}`).slowness = slow[`node-${i}`] ?? 1;
  await world.run(LIMIT_MS);
  return endsMs.map((ms, i) => ms - (endsMs[i - 1] ?? 0));
}
