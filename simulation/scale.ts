import { coordinate } from '../coordinator/transition.js';
import { type Compression, encodedBytes } from '../shared/codec/codec.js';
import { REPLICAS_MAX } from '../shared/optim/local-updates.js';
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
  /** Of the coordinator's link; left out: as all others. */
  readonly coordinatorMegabits?: number;
  /** Bytes of the weights, and of a partial sum, as float32. */
  readonly vectorBytes: number;
  /** Time that a worker computes in a step. */
  readonly computeMs: number;
  /** How vectors are encoded; left out: they are not. */
  readonly compress?: Compression;
  /** Steps are rounds of so many optimizer steps of replicas; left out: a step is one batch. */
  readonly localSteps?: number;
  /** Afterwards a worker and a relay are killed, and a worker and a relay join late. */
  readonly disturbs?: boolean;
}

/** What a run of such a cluster takes. */
export interface ScaleResult {
  readonly workers: number;
  readonly relays: number;
  /** Members of the coordinator. */
  readonly members: number;
  /** Virtual time of an optimizer step: the median of those that nothing disturbs, and the longest. */
  readonly stepMs: number;
  readonly longestStepMs: number;
  /** Virtual time until the first step is done, or round. */
  readonly joinMs: number;
  /** Processor time of the coordinator's transitions, for such an optimizer step: the median. */
  readonly coordinatorMs: number;
  /** Bytes of vectors over the coordinator's link in such an optimizer step. */
  readonly coordinatorBytes: number;
  /** Worker steps in a second of all workers: a worker step is what one worker computes in `computeMs`. */
  readonly workPerSecond: number;
  readonly messages: number;
  /** Heap of this process at its largest, all virtual machines included. */
  readonly heapMiB: number;
  readonly weights: string;
  /** How much longer a step, or round, takes in which a worker or a relay is killed. */
  readonly killedWorkerMs?: number;
  readonly killedRelayMs?: number;
  /** From its start until a worker, or a relay with a worker, is given leaves of a step; left out: it was not before the end. */
  readonly lateWorkerMs?: number;
  readonly lateRelayMs?: number;
}

/** Leaves of a worker in a step. */
const LEAVES_PER_WORKER = 2;
/** The first steps measure the members. */
const WARM_UP_STEPS = 2;
const SEGMENTS = 2;
const LIMIT_MS = 60 * 60_000;
const SILENCE_MS = 10_000;
/** Vectors of a round's result: weights and two moments of Adam. */
const LOCAL_VECTORS = 3;
/** Steps after the measured ones: in the second one a worker is killed, in the fourth a relay; after the fifth others join. */
const DISTURBED_STEPS = 30;

/**
 * Runs the production machines of a large cluster in virtual time. Virtual times are the same on every machine; the coordinator's
 * processor time is measured.
 * @throws Error when the run does not progress, or ends with other weights than one machine
 */
export async function measureScale(plan: ScalePlan, nowMs: () => number): Promise<ScaleResult> {
  const { workers, megabits, latencyMs, computeMs, fanOut, compress, localSteps, disturbs = false } = plan;
  const tree = fanOut === undefined ? [] : relayTree(workers, fanOut);
  const topMembers = tree.length === 0 ? workers : tree.filter(({ above }) => above === undefined).length;
  const steps = plan.steps + (disturbs ? DISTURBED_STEPS : 0);
  const local = localSteps && { replicas: Math.min(workers, REPLICAS_MAX), steps: localSteps };
  const bytes = vectorBytesOf(plan);
  const scenario: Scenario = {
    ...{ seed: 1, steps, workers, relays: tree.length, locals: 0, minWorkers: topMembers },
    ...{ audit: 0, misbehaviours: [], isStrict: true, saveEvery: 0, faults: [] },
    ...{ placement: 'all', faultEveryMs: 1, coordinatorFaultChance: 0 },
    ...{ leaves: LEAVES_PER_WORKER * workers, exchangeBytes: 2 * bytes },
    ...(compress && { compress }),
    ...(local && { local }),
  };
  const wire: Wire = { latencyMs, bytesPerMs: (megabits * 1000) / 8, segmentBytes: bytes / SEGMENTS };
  let spentMs = 0;
  const cluster = new VirtualCluster(scenario, {
    timing: (): NetworkTiming => ({
      segmentWaitMs: () => 0,
      delayMs: () => latencyMs,
      closeNoticeMs: () => latencyMs,
      silenceMs: SILENCE_MS,
    }),
    // A step of a replica is what a worker computes in a step.
    msPerLeaf: () => (local ? computeMs : computeMs / LEAVES_PER_WORKER),
    // The segments of one machine do not pass a port one right behind the other, before those of the others.
    firstSegmentAt: Math.max(0, 1 - wire.segmentBytes / wire.bytesPerMs / computeMs),
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
  const { coordinatorMegabits = megabits } = plan;
  cluster.portOf('coordinator').bytesPerMs = (coordinatorMegabits * 1000) / 8;
  cluster.onEnded = (worker, reason) => {
    if (!cluster.coordinator.isComplete && !worker.isDead)
      throw new Error(`${worker.name} has ended: ${reason}`);
  };
  join(cluster, workers, tree);
  const late = disturbs ? new LateMachines(cluster, tree) : undefined;
  const ends: { atMs: number; spentMs: number; segments: number; heap: number }[] = [];
  const kill = (name: string): void =>
    void cluster.clock.after((computeMs * (localSteps ?? 1)) / 2, () => crash(cluster.named(name), false));
  const note = (): void => {
    const { step } = cluster.coordinator.state.training;
    while (ends.length < step) {
      const { segments } = cluster.portOf('coordinator');
      ends.push({ atMs: cluster.clock.nowMs(), spentMs, segments, heap: process.memoryUsage().heapUsed });
      const after = ends.length - plan.steps;
      if (!disturbs) continue;
      if (after === 1) kill('worker-1');
      if (after === 3 && tree.length > 0) kill('relay-1');
      if (after === 5) late?.join();
    }
  };
  cluster.onStep = note;
  await cluster.run(LIMIT_MS);
  note();
  const finalHash = hashText(cluster.coordinator.executor.weights);
  const { weights } = referenceRun(steps, (step) => cluster.leavesOf(step), undefined, cluster.codec);
  const expected = hashText(weights);
  if (finalHash !== expected) throw new Error(`the run ended with ${finalHash} instead of ${expected}`);
  const perStep = (what: 'atMs' | 'spentMs' | 'segments'): number[] =>
    ends.slice(1).map((end, i) => end[what] - (ends[i]?.[what] ?? 0));
  const durations = perStep('atMs');
  const calm = (values: readonly number[]): readonly number[] =>
    values.slice(WARM_UP_STEPS - 1, plan.steps - 1);
  const optimizerSteps = localSteps ?? 1;
  const stepMs = medianOf(calm(durations)) / optimizerSteps;
  const longer = (after: number): number =>
    Math.max(
      0,
      (durations[plan.steps + after - 1] as number) - (durations[plan.steps + after - 2] as number),
    );
  return {
    ...{ workers, relays: tree.length, members: topMembers, stepMs },
    longestStepMs: Math.max(...calm(durations)) / optimizerSteps,
    joinMs: ends[0]?.atMs ?? 0,
    coordinatorMs: medianOf(calm(perStep('spentMs'))) / optimizerSteps,
    coordinatorBytes: (medianOf(calm(perStep('segments'))) * wire.segmentBytes) / optimizerSteps,
    workPerSecond: (1000 * (local ? local.replicas : workers)) / stepMs,
    messages: cluster.messages,
    heapMiB: Math.max(...ends.map(({ heap }) => heap)) / 2 ** 20,
    weights: finalHash,
    ...(disturbs && { killedWorkerMs: longer(1), ...(tree.length > 0 && { killedRelayMs: longer(3) }) }),
    ...late?.given,
  };
}

/** Bytes of what one member is sent, or sends, as it is encoded. */
function vectorBytesOf({ vectorBytes, compress, localSteps }: ScalePlan): number {
  if (localSteps !== undefined) return LOCAL_VECTORS * vectorBytes;
  return compress === undefined ? vectorBytes : encodedBytes(compress, [{ size: vectorBytes / 4 }]);
}

/** A worker, and where there are relays a relay with a worker, that join in the middle of a run. */
class LateMachines {
  private readonly times: { lateWorkerMs?: number; lateRelayMs?: number } = {};
  private startedMs = 0;

  constructor(
    private readonly cluster: VirtualCluster,
    private readonly tree: readonly RelayPlace[],
  ) {
    cluster.onWork = ({ name }) => {
      const waitedMs = cluster.clock.nowMs() - this.startedMs;
      if (name === LATE_WORKER) this.times.lateWorkerMs ??= waitedMs;
      if (name === LATE_RELAY) this.times.lateRelayMs ??= waitedMs;
    };
  }

  /** When they were given leaves. */
  get given(): { readonly lateWorkerMs?: number; readonly lateRelayMs?: number } {
    return this.times;
  }

  join(): void {
    this.startedMs = this.cluster.clock.nowMs();
    const last = this.tree.at(-1);
    this.cluster.join(LATE_WORKER, { above: last?.name });
    if (last === undefined) return;
    this.cluster.join(LATE_RELAY, { relays: true });
    this.cluster.join(`${LATE_WORKER}-below`, { above: LATE_RELAY });
  }
}

const LATE_WORKER = 'late-worker';
const LATE_RELAY = 'late-relay';

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
