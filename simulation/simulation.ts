import { coordinate } from '../coordinator/transition.js';
import { relay } from '../relay/transition.js';
import type { SeededRandom } from '../shared/actor/seeded-random.js';
import { messageOf } from '../shared/errors.js';
import { hashText, referenceRun } from './arithmetic.js';
import { FaultInjector } from './fault-injector.js';
import { Invariants } from './invariants.js';
import type { NetworkTiming } from './network.js';
import { type Fault, type SimulationPlan, scenarioOf } from './plan.js';
import { VirtualCluster } from './virtual-cluster.js';
import type { Coordinate } from './virtual-coordinator.js';
import type { Relay } from './virtual-relay.js';

/** The result, as `--json` prints it. */
export interface SimulationResult extends Pick<SimulationPlan, 'seed' | 'workers' | 'steps'> {
  readonly finalHash: string;
  readonly expectedHash: string;
  /** How often each kind of fault happened. */
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  /** Members that were expelled, and steps that were repeated because they rested on sums of an expelled member. */
  readonly expelled: number;
  readonly redoneSteps: number;
  /** Wrong sums in the weights that were never detected; none where everything is audited. */
  readonly unnoticed: number;
  readonly virtualSeconds: number;
  readonly messages: number;
}

/** A part of a partial sum leaves long before the rest, so that much can happen in between. */
const FIRST_SEGMENT_AT = 0.5;
/** A run that has not ended by then makes no progress. */
const LIMIT_MS = 20 * 60_000;
/** Longest usual and longest exceptional delay of a message. */
const DELAY_MS = 10;
const HICCUP_MS = 400;
const HICCUP_CHANCE = 0.01;
/** One segment in so many of those behind the first waits for a full link, at most so long. */
const SEGMENT_WAITS = 0.05;
const SEGMENT_WAIT_MS_MAX = 40;
/** Longest time until an end notices that its connection is gone. */
const CLOSE_NOTICE_MS_MAX = 1500;
/** As in production. */
const SILENCE_MS = 10_000;

/**
 * Runs the production coordinator and workers over a virtual network. The seed decides what happens there.
 *
 * @param trace receives what happens, with virtual time
 * @param decide the coordinator's transition; a mutant, to test that its bug is detected
 * @param decideRelay the same of the relays
 * @throws Error when a step misses a leaf, counts one twice or does not get its canonical sum, a worker computes with other
 * weights than those of its step, an honest member is expelled, a queue exceeds its bound, a checkpoint is lost that was
 * reported as durable, the run makes no progress, or it does not end as a run without faults does
 */
export async function simulate(
  plan: SimulationPlan,
  trace?: (text: string) => void,
  decide: Coordinate = coordinate,
  decideRelay: Relay = relay,
): Promise<SimulationResult> {
  try {
    return await run(plan, trace, decide, decideRelay);
  } catch (error) {
    const what = messageOf(error);
    throw new Error(`seed ${plan.seed}: ${what}; to repeat it: ${commandOf(plan)}`, { cause: error });
  }
}

async function run(
  plan: SimulationPlan,
  trace: ((text: string) => void) | undefined,
  decide: Coordinate,
  decideRelay: Relay,
): Promise<SimulationResult> {
  const scenario = scenarioOf(plan);
  const cluster = new VirtualCluster(scenario, {
    timing: (random) => timing(random, plan.faults),
    ...{ msPerLeaf, trace, decide, decideRelay },
    // Only relays do anything with a segment before the answer is complete.
    ...((scenario.relays ?? 0) > 0 && { firstSegmentAt: FIRST_SEGMENT_AT }),
  });
  new Invariants(cluster);
  new FaultInjector(cluster).start();
  await cluster.run(LIMIT_MS);
  const { coordinator, clock, faults } = cluster;
  const { seed, workers, steps } = plan;
  const finalHash = hashText(coordinator.executor.weights);
  const expected = referenceRun(steps, (step) => cluster.leavesOf(step), scenario.best, cluster.codec);
  const expectedHash = hashText(expected.weights);
  const { unnoticed } = coordinator.executor;
  if (coordinator.completion === 'diverged')
    throw new Error(
      `the run ended as diverged in step ${coordinator.state.training.step}, though the sums of honest workers are finite`,
    );
  if (unnoticed === 0 && coordinator.completion !== expected.reason)
    throw new Error(`the run ended as ${coordinator.completion} instead of ${expected.reason}`);
  if (unnoticed === 0 && finalHash !== expectedHash)
    throw new Error(`the run ended with ${finalHash} instead of ${expectedHash}`);
  const { buffersInUse } = coordinator.executor;
  if (buffersInUse > 0) throw new Error(`${buffersInUse} partial sums were never released`);
  const virtualSeconds = clock.nowMs() / 1000;
  const { expelled, redone } = coordinator;
  return {
    ...{ seed, workers, steps, finalHash, expectedHash, faults },
    ...{ expelled, redoneSteps: redone, unnoticed, virtualSeconds, messages: cluster.messages },
  };
}

function commandOf(plan: SimulationPlan): string {
  const { seed, workers, steps, faults, liar, hostile, keepsBest, local, compress = 'none', relays } = plan;
  const options = [
    faults ? [] : ['--no-faults'],
    liar === undefined ? [] : [`--audit ${liar.audit}`],
    hostile ? ['--hostile'] : [],
    keepsBest ? ['--keep-best'] : [],
    local === undefined ? [] : [`--sync local:replicas=${local.replicas},steps=${local.steps}`],
    relays === undefined ? [] : [`--relays ${relays}`],
    compress === 'none' ? [] : [`--compress ${compress}`],
  ].flat();
  return ['simulate', `--seed ${seed} --workers ${workers} --steps ${steps}`, ...options, '--trace'].join(
    ' ',
  );
}

/** @param hasFaults whether the link to a worker is full at times, too */
function timing(random: SeededRandom, hasFaults: boolean): NetworkTiming {
  return {
    segmentWaitMs: () => (hasFaults && random.chance(SEGMENT_WAITS) ? random.below(SEGMENT_WAIT_MS_MAX) : 0),
    delayMs: () => (random.below(1000) / 1000) * (random.chance(HICCUP_CHANCE) ? HICCUP_MS : DELAY_MS),
    closeNoticeMs: () => random.below(CLOSE_NOTICE_MS_MAX),
    silenceMs: SILENCE_MS,
  };
}

function msPerLeaf(random: SeededRandom): number {
  return 0.5 + random.below(8) / 2;
}
