import { coordinate } from '../coordinator/transition.js';
import { hashText, referenceRun } from './arithmetic.js';
import { crash } from './faults.js';
import { Invariants } from './invariants.js';
import type { NetworkTiming, Wire } from './network.js';
import type { Scenario } from './plan.js';
import { VirtualCluster } from './virtual-cluster.js';

/** What is simulated where nothing else is asked for: links of 1 Gb/s, 100,000 parameters, a tenth of a second of computing. */
export const USUAL_MACHINES = { megabits: 1000, latencyMs: 0.2, vectorBytes: 400_000, computeMs: 100 };

/** A cluster of equal machines on equal links. */
export interface ScalePlan {
  readonly workers: number;
  /** Most members of the coordinator and of each relay; left out: no relays, all workers are members of the coordinator. */
  readonly fanOut?: number;
  readonly steps: number;
  /** Of each machine's link, both ways. */
  readonly megabits: number;
  readonly latencyMs: number;
  /** Bytes of the weights, and of a partial sum. */
  readonly vectorBytes: number;
  /** Time that a worker computes in a step. */
  readonly computeMs: number;
  /** A relay is killed in the middle of a step. */
  readonly killsRelay?: boolean;
}

/** What a run of such a cluster takes. */
export interface ScaleResult {
  readonly workers: number;
  readonly relays: number;
  /** Members of the coordinator. */
  readonly members: number;
  /** Virtual time of a step: the median of those in which everybody takes part, and the longest. */
  readonly stepMs: number;
  readonly longestStepMs: number;
  /** Virtual time until the first step of all workers. */
  readonly joinMs: number;
  /** Processor time of the coordinator's transitions, for a step in which everybody takes part: the median. */
  readonly coordinatorMs: number;
  /** Bytes of vectors over the coordinator's link in such a step. */
  readonly coordinatorBytes: number;
  readonly messages: number;
  /** Heap of this process at its largest, all virtual machines included. */
  readonly heapMiB: number;
  readonly weights: string;
}

/** Leaves of a worker in a step. */
const LEAVES_PER_WORKER = 2;
/** The first steps measure the members. */
const WARM_UP_STEPS = 2;
const SEGMENTS = 2;
const LIMIT_MS = 30 * 60_000;
const SILENCE_MS = 10_000;

/**
 * Runs the production machines of a large cluster in virtual time. Virtual times are the same on every machine; the coordinator's
 * processor time is measured.
 * @throws Error when the run does not progress, or ends with other weights than one machine
 */
export async function measureScale(plan: ScalePlan, nowMs: () => number): Promise<ScaleResult> {
  const { workers, steps, megabits, latencyMs, vectorBytes, computeMs, fanOut } = plan;
  const tree = fanOut === undefined ? [] : relayTree(workers, fanOut);
  const topMembers = tree.length === 0 ? workers : tree.filter(({ above }) => above === undefined).length;
  const scenario: Scenario = {
    ...{ seed: 1, steps, workers, relays: tree.length, locals: 0, minWorkers: topMembers },
    ...{ audit: 0, misbehaviours: [], isStrict: true, saveEvery: 0, faults: [] },
    ...{ placement: 'all', faultEveryMs: 1, coordinatorFaultChance: 0 },
    ...{ leaves: LEAVES_PER_WORKER * workers, exchangeBytes: 2 * vectorBytes },
  };
  const wire: Wire = { latencyMs, bytesPerMs: (megabits * 1000) / 8, segmentBytes: vectorBytes / SEGMENTS };
  let spentMs = 0;
  const cluster = new VirtualCluster(scenario, {
    timing: (): NetworkTiming => ({
      segmentWaitMs: () => 0,
      delayMs: () => latencyMs,
      closeNoticeMs: () => latencyMs,
      silenceMs: SILENCE_MS,
    }),
    msPerLeaf: () => computeMs / LEAVES_PER_WORKER,
    trace: undefined,
    wire,
    decide: (...message) => {
      const begunMs = nowMs();
      const result = coordinate(...message);
      spentMs += nowMs() - begunMs;
      return result;
    },
  });
  new Invariants(cluster, LIMIT_MS);
  cluster.onEnded = (worker, reason) => {
    if (!cluster.coordinator.isComplete && !worker.isDead)
      throw new Error(`${worker.name} has ended: ${reason}`);
  };
  join(cluster, workers, tree);
  const ends: { atMs: number; spentMs: number; segments: number; heap: number }[] = [];
  const note = (): void => {
    const { step } = cluster.coordinator.state.training;
    while (ends.length < step) {
      const { segments } = cluster.portOf('coordinator');
      ends.push({ atMs: cluster.clock.nowMs(), spentMs, segments, heap: process.memoryUsage().heapUsed });
      if (plan.killsRelay && step === WARM_UP_STEPS + 1)
        cluster.clock.after(computeMs / 2, () => crash(cluster.named('relay-1'), false));
    }
  };
  cluster.onStep = note;
  await cluster.run(LIMIT_MS);
  note();
  const finalHash = hashText(cluster.coordinator.executor.weights);
  const expected = hashText(referenceRun(steps, (step) => cluster.leavesOf(step)).weights);
  if (finalHash !== expected) throw new Error(`the run ended with ${finalHash} instead of ${expected}`);
  const perStep = (what: 'atMs' | 'spentMs' | 'segments'): number[] =>
    ends.slice(WARM_UP_STEPS).map((end, i) => end[what] - (ends[WARM_UP_STEPS + i - 1]?.[what] ?? 0));
  const durations = perStep('atMs');
  return {
    ...{ workers, relays: tree.length, members: topMembers },
    stepMs: medianOf(durations),
    longestStepMs: Math.max(...durations),
    joinMs: ends[0]?.atMs ?? 0,
    coordinatorMs: medianOf(perStep('spentMs')),
    coordinatorBytes: medianOf(perStep('segments')) * wire.segmentBytes,
    messages: cluster.messages,
    heapMiB: Math.max(...ends.map(({ heap }) => heap)) / 2 ** 20,
    weights: finalHash,
  };
}

/** A relay: how many workers are below it at once, and which relay is above it. */
interface RelayPlace {
  readonly name: string;
  readonly above: string | undefined;
  readonly workers: number;
}

/** A tree of relays in which nobody has more members than the fan-out, with all workers at its lowest level. */
function relayTree(workers: number, fanOut: number): RelayPlace[] {
  const levels: number[] = [];
  for (let count = Math.ceil(workers / fanOut); ; count = Math.ceil(count / fanOut)) {
    levels.unshift(count);
    if (count <= fanOut) break;
  }
  const places: RelayPlace[] = [];
  let aboveFrom = 0;
  levels.forEach((count, level) => {
    const from = places.length;
    const isLowest = level === levels.length - 1;
    for (let i = 0; i < count; i++) {
      const above =
        level === 0 ? undefined : `relay-${aboveFrom + 1 + Math.floor((i * (from - aboveFrom)) / count)}`;
      const share = Math.floor(((i + 1) * workers) / count) - Math.floor((i * workers) / count);
      places.push({ name: `relay-${places.length + 1}`, above, workers: isLowest ? share : 0 });
    }
    aboveFrom = from;
  });
  return places;
}

function join(cluster: VirtualCluster, workers: number, tree: readonly RelayPlace[]): void {
  for (const { name, above } of tree) cluster.join(name, { relays: true, above });
  let worker = 0;
  if (tree.length === 0) for (; worker < workers; worker++) cluster.join(`worker-${worker + 1}`);
  for (const { name, workers: below } of tree)
    for (let i = 0; i < below; i++) cluster.join(`worker-${++worker}`, { above: name });
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
