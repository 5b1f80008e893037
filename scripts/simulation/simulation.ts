import { coordinate } from '../../coordinator/coordinator.js';
import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import { hashText, undisturbed } from './arithmetic.js';
import { Disturbance } from './disturbance.js';
import type { Weather } from './network.js';
import { type Fault, type SimulationPlan, settingOf } from './plan.js';
import type { Coordinate } from './virtual-coordinator.js';
import { Watch } from './watch.js';
import { World } from './world.js';

/** The result, as `--json` prints it. */
export interface SimulationResult extends Omit<SimulationPlan, 'faults' | 'liar'> {
  readonly finalHash: string;
  readonly expectedHash: string;
  /** How often each kind of fault happened. */
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  /** Members that were expelled, and steps that were done anew because of what they had said before. */
  readonly expelled: number;
  readonly redoneSteps: number;
  /** Wrong sums that are in the weights and that nobody has seen; none where everything is audited. */
  readonly unnoticed: number;
  readonly virtualSeconds: number;
  readonly messages: number;
}

/** A run that has not ended by then stands still. */
const LIMIT_MS = 20 * 60_000;
/** Longest usual and longest unusual delay of a message. */
const DELAY_MS = 10;
const HICCUP_MS = 400;
const HICCUP_CHANCE = 0.01;
/** Until an end learns that its connection is gone. */
const NEWS_MS_MAX = 1500;
/** As in production. */
const SILENCE_MS = 10_000;

/**
 * Runs the production coordinator and nodes over a network that a seed decides, with whatever goes wrong there.
 *
 * @param trace told what happens, with virtual time
 * @param decide another coordinator, to see that its faults are found
 * @throws Error when a step misses a leaf, counts one twice or is not given its canonical sum, a node computes with
 * other weights than those of its step, an honest member is expelled, something piles up, or the run stands still
 */
export async function simulate(
  plan: SimulationPlan,
  trace?: (text: string) => void,
  decide: Coordinate = coordinate,
): Promise<SimulationResult> {
  try {
    return await run(plan, trace, decide);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${plan.seed}: ${what}; to see it again: ${commandOf(plan)}`, { cause: error });
  }
}

async function run(
  plan: SimulationPlan,
  trace: ((text: string) => void) | undefined,
  decide: Coordinate,
): Promise<SimulationResult> {
  const world = new World(settingOf(plan), { weather, msPerLeaf, trace, decide });
  new Watch(world);
  new Disturbance(world).begin();
  await world.run(LIMIT_MS);
  const { coordinator, clock, faults } = world;
  const { seed, workers, steps } = plan;
  const finalHash = hashText(coordinator.workshop.weights);
  const expectedHash = hashText(undisturbed(steps, (step) => world.leavesOf(step)));
  const { unnoticed } = coordinator.workshop;
  if (unnoticed === 0 && finalHash !== expectedHash)
    throw new Error(`the run ended with ${finalHash}, not ${expectedHash}`);
  const { slotsInUse } = coordinator.workshop;
  if (slotsInUse > 0) throw new Error(`${slotsInUse} sums were never given back`);
  const virtualSeconds = clock.nowMs() / 1000;
  const { expelled, redone } = coordinator;
  return {
    ...{ seed, workers, steps, finalHash, expectedHash, faults },
    ...{ expelled, redoneSteps: redone, unnoticed, virtualSeconds, messages: world.messages },
  };
}

function commandOf({ seed, workers, steps, faults, liar }: SimulationPlan): string {
  const options = [faults ? [] : ['--no-faults'], liar === undefined ? [] : [`--audit ${liar.audit}`]].flat();
  return ['simulate', `--seed ${seed} --workers ${workers} --steps ${steps}`, ...options, '--trace'].join(
    ' ',
  );
}

function weather(random: SeededRandom): Weather {
  return {
    delayMs: () => (random.below(1000) / 1000) * (random.chance(HICCUP_CHANCE) ? HICCUP_MS : DELAY_MS),
    newsMs: () => random.below(NEWS_MS_MAX),
    silenceMs: SILENCE_MS,
  };
}

function msPerLeaf(random: SeededRandom): number {
  return 0.5 + random.below(8) / 2;
}
