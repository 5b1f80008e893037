import type { PlacementPolicy } from '../coordinator/state/run-settings.js';
import { SeededRandom } from '../shared/actor/seeded-random.js';
import type { Codec, Compression } from '../shared/codec/codec.js';
import type { LocalUpdates } from '../shared/optim/local-updates.js';
import type { BestPolicy } from './arithmetic.js';

/** What is simulated. The same plan takes the same course on every machine. */
export interface SimulationPlan {
  readonly seed: number;
  readonly workers: number;
  readonly steps: number;
  /** Whether faults are injected. */
  readonly faults: boolean;
  /** One worker lies, and only part of the work is audited. Left out: where workers lie, everything is audited. */
  readonly liar?: {
    /** Fraction of the work that is computed twice. */
    readonly audit: number;
    /** One answer in so many is wrong. */
    readonly every: number;
  };
  /** Some workers attack the run, in several ways. With `liar`: only part of the work is audited. */
  readonly hostile?: boolean;
  /** The run ends with the weights of its best evaluation, and stops early when evaluations do not improve. */
  readonly keepsBest?: boolean;
  /** Steps are rounds of local updates. */
  readonly local?: LocalUpdates;
  /** The codec of the run; left out: none. */
  readonly compress?: Codec;
  /** Relays between the coordinator and most of the workers; left out: none. */
  readonly relays?: number;
}

/** Kinds of faults of runs without hostile workers. A result says how often each of them happened. */
export const FAULTS = [
  'cut',
  'half-open',
  'partition',
  'pause',
  'crash',
  'restart',
  'leave',
  'lie',
  'payload-flip',
  'memory-flip',
  'coordinator-crash',
  'power-loss',
  'torn-write',
  'slow-disk',
  'full-disk',
] as const;

/**
 * What only hostile workers do: they send sums that are not finite, never answer work, never send anything, and join again
 * after they were expelled, under the same name or another one.
 */
export const HOSTILE_FAULTS = ['not-finite', 'no-answer', 'no-message', 'return', 'alias'] as const;

export type Fault = (typeof FAULTS)[number] | (typeof HOSTILE_FAULTS)[number];

/** How a worker misbehaves. */
export interface Misbehaviour {
  /** An answer is wrong with this probability. */
  readonly wrongChance: number;
  /** What a wrong answer is; left out: other finite sums each time. */
  readonly wrongSum?: number;
  /** A relay that is wrong says that somebody below it was; or it leaves out segments of its sums. */
  readonly deceit?: 'blames others' | 'drops segments';
  /** It is right so many times first, and is believed for it. */
  readonly liesAfter?: number;
  /** What the worker never sends once it has answered so many times. */
  readonly withholds?: 'answers' | 'messages';
  readonly withholdsAfter?: number;
  /** Under which name the worker joins again after it was expelled, has left or has crashed; left out: it does not. */
  readonly returns?: 'same-name' | 'new-name';
}

/** A worker that is not flawed. */
export const HONEST: Misbehaviour = { wrongChance: 0 };

/** Everything that is decided about a run before it begins. */
export interface Scenario {
  readonly seed: number;
  readonly steps: number;
  /** Workers on machines of their own. */
  readonly workers: number;
  /** Workers in the coordinator's process. They are reliable: a thread that dies ends the run. */
  readonly locals: number;
  readonly minWorkers: number;
  /** Fraction of the remote work that is computed twice. */
  readonly audit: number;
  /** What may go wrong. */
  readonly faults: readonly Fault[];
  /** Mean time between two faults, and the fraction of them that are the coordinator's, where it has any. */
  readonly faultEveryMs: number;
  readonly coordinatorFaultChance: number;
  /** By worker, in the order in which they join; workers without an entry are honest. */
  readonly misbehaviours: readonly Misbehaviour[];
  /** Wrong sums never count, not even until they are detected. */
  readonly isStrict: boolean;
  /** The run is saved to a virtual disk after so many steps; 0: never. */
  readonly saveEvery: number;
  /** Which remote workers are given work. */
  readonly placement: PlacementPolicy;
  /** Left out: the run ends with its last weights. */
  readonly best?: BestPolicy;
  /** Leaves of each batch. Left out: as many as the workers need, and a ragged batch at the end of each epoch. */
  readonly leaves?: number;
  /** Left out: a step is one batch. */
  readonly local?: LocalUpdates;
  /** Codec, and relays; left out: none. */
  readonly compress?: Compression;
  readonly relays?: number;
  /** What an exchange is taken to have, both ways; left out: next to nothing. */
  readonly exchangeBytes?: number;
}

/** Workers that a run with a liar needs where none is local: two honest ones must agree, also while others leave. */
const WORKERS_BESIDE_LIAR = 4;

/** Faults of machines and networks, without wrong results. */
const MACHINE_FAULTS: readonly Fault[] = [
  'cut',
  'half-open',
  'partition',
  'pause',
  'crash',
  'restart',
  'leave',
];
const CORRUPTION_FAULTS: readonly Fault[] = ['payload-flip', 'memory-flip'];
/** Faults of the coordinator's machine and its disk. */
export const COORDINATOR_FAULTS: readonly Fault[] = [
  'coordinator-crash',
  'power-loss',
  'slow-disk',
  'full-disk',
];

/**
 * Every way to misbehave, each with other wrong sums, unless they are not finite: two workers with the same wrong sums would
 * confirm each other.
 */
const HOSTILE: readonly Partial<Misbehaviour>[] = [
  {},
  { wrongSum: Number.NaN },
  { wrongSum: Number.NaN },
  { wrongSum: Number.POSITIVE_INFINITY },
  { wrongSum: Number.NEGATIVE_INFINITY },
  { wrongChance: 0, withholds: 'answers' },
  { wrongChance: 0, withholds: 'answers' },
  { wrongChance: 0, withholds: 'messages' },
];
/** The sum of workers that have agreed on what to say. */
const COMMON_SUM = 0x0c0111de;
/** Their part of the runs in which everything is audited; the longest time for which they are honest, in answers. */
const COLLUSION_CHANCE = 1 / 3;
const HONEST_ANSWERS_MAX = 40;
/** The same for those that do not confirm each other. */
const PATIENCE_MAX = 4;
const WRONG_CHANCES = [1, 1 / 4, 1 / 16] as const;
const RETURNS = [undefined, 'same-name', 'new-name'] as const;

/** The scenario of a plan. */
export function scenarioOf(plan: SimulationPlan): Scenario {
  const { local, compress = 'none', relays, liar } = plan;
  const scenario = {
    ...(plan.hostile
      ? hostileScenario(plan)
      : relays !== undefined && liar === undefined
        ? relayedScenario(plan, relays)
        : usualScenario(plan)),
    ...(relays !== undefined && { relays }),
    ...(local && { local }),
    ...(compress !== 'none' && { compress }),
  };
  if (!plan.keepsBest) return scenario;
  const random = new SeededRandom(plan.seed ^ 0xbe57);
  return { ...scenario, best: { evaluateEvery: 1 + random.below(5), patience: 3 + random.below(8) } };
}

/** Workers that confirm each other's wrong sums. */
function colluders(random: SeededRandom, workers: number): Misbehaviour[] {
  const liesAfter = random.below(HONEST_ANSWERS_MAX);
  const returns = RETURNS[random.below(RETURNS.length)];
  return Array.from({ length: Math.max(2, workers >> 1) }, () => {
    return { wrongChance: 1, wrongSum: COMMON_SUM, liesAfter, ...(returns && { returns }) };
  });
}

/**
 * Hostile workers beside honest ones. Fewer than half of the workers are hostile, and at least one honest worker is local, so
 * that there is always one whose answers are right.
 */
function hostileScenario({ seed, workers, steps, faults, liar }: SimulationPlan): Scenario {
  const random = new SeededRandom(seed ^ 0x40571e);
  const kinds = [...HOSTILE];
  const misbehaviours = Array.from({ length: 1 + random.below(Math.max(1, workers >> 1)) }, () => {
    const [kind] = kinds.splice(random.below(kinds.length), 1);
    const wrongChance = WRONG_CHANCES[random.below(WRONG_CHANCES.length)] as number;
    const returns = RETURNS[random.below(RETURNS.length)];
    const withholdsAfter = random.chance(0.5) ? 0 : random.below(10);
    return { wrongChance, withholdsAfter, ...kind, ...(returns && { returns }) };
  });
  // A first answer is checked; who is to harm a run that is audited in part has to be honest for a while.
  const patient = new SeededRandom(seed ^ 0x9a71e17);
  const patients = misbehaviours.map((one) => ({ ...one, liesAfter: patient.below(PATIENCE_MAX) }));
  // Of its own, so that the other scenarios stay what they were.
  const colluding = new SeededRandom(seed ^ 0xc0111de);
  const isCollusion = liar === undefined && workers >= 4 && colluding.chance(COLLUSION_CHANCE);
  const saveEvery = random.chance(0.5) ? 1 + random.below(12) : 0;
  const coordinatorFaults = saveEvery > 0 ? COORDINATOR_FAULTS : [];
  return {
    seed,
    steps,
    workers,
    locals: 1 + random.below(2),
    minWorkers: 1,
    audit: liar?.audit ?? 1,
    misbehaviours: isCollusion
      ? colluders(colluding, workers)
      : liar === undefined
        ? misbehaviours
        : patients,
    isStrict: liar === undefined,
    saveEvery,
    placement: random.chance(0.25) ? 'auto' : 'all',
    // Fewer faults of machines than elsewhere, so that hostile workers are connected most of the time.
    ...{ faultEveryMs: 300, coordinatorFaultChance: 1 / 4 },
    faults: faults ? [...MACHINE_FAULTS, ...coordinatorFaults, 'lie'] : ['lie'],
  };
}

/** A scenario with relays: machines, networks and the coordinator fail, and nobody is wrong. */
function relayedScenario({ seed, workers, steps, faults }: SimulationPlan, relays: number): Scenario {
  const random = new SeededRandom(seed ^ 0x4e1a7);
  const saveEvery = random.chance(0.5) ? 1 + random.below(12) : 0;
  const coordinatorFaults = saveEvery > 0 ? COORDINATOR_FAULTS : [];
  return {
    ...{ seed, steps, workers, relays, locals: random.below(3), minWorkers: 1 },
    ...{ audit: random.below(3) / 4, misbehaviours: [], isStrict: true, saveEvery },
    // Twice as seldom as elsewhere: a fault of a relay is one of all below it.
    placement: random.chance(0.25) ? 'auto' : 'all',
    ...{ faultEveryMs: 120, coordinatorFaultChance: 0.06 },
    faults: faults ? [...MACHINE_FAULTS, ...coordinatorFaults] : [],
  };
}

/**
 * A scenario without hostile workers. A plan with a liar is audited in part. For any other plan with faults the seed chooses one of four
 * kinds: liars among reliable workers, so that two honest ones can always agree; honest workers with faulty machines and
 * network; the same with a coordinator that crashes, and a disk; the same without these. In the last two some workers may be
 * local; then bits may flip and workers may lie as well, because a local worker is always right.
 */
function usualScenario({ seed, workers, steps, faults, liar }: SimulationPlan): Scenario {
  const random = new SeededRandom(seed ^ 0x5e771e);
  const honest = {
    seed,
    steps,
    workers,
    locals: 0,
    minWorkers: 1,
    misbehaviours: [],
    isStrict: true,
    saveEvery: 0,
    // What is simulated are faults, not whether helpers pay.
    placement: 'all',
    faultEveryMs: 60,
    coordinatorFaultChance: 0.06,
  } as const;
  if (liar !== undefined) {
    const { audit, every } = liar;
    const misbehaviours = [{ wrongChance: 1 / every }];
    const undetected = { locals: random.below(2), audit, misbehaviours, isStrict: false };
    return { ...honest, ...undetected, faults: faults ? [...MACHINE_FAULTS, 'lie'] : ['lie'] };
  }
  const audit = random.below(3) / 4;
  if (!faults) return { ...honest, audit, faults: [] };
  const kind = random.below(4);
  if (kind === 0 && workers >= WORKERS_BESIDE_LIAR)
    return {
      ...honest,
      audit: 1,
      minWorkers: workers,
      misbehaviours: [{ wrongChance: 1 / 4 }],
      faults: ['lie'],
    };
  if (kind === 1) return { ...honest, audit, faults: MACHINE_FAULTS };
  const locals = 1 + random.below(2);
  const saveEvery = kind === 2 ? 1 + random.below(12) : 0;
  const crashing = {
    ...honest,
    locals,
    saveEvery,
    faults: saveEvery > 0 ? [...MACHINE_FAULTS, ...COORDINATOR_FAULTS] : MACHINE_FAULTS,
  };
  if (random.chance(0.5)) return { ...crashing, locals: random.below(3), audit };
  const corrupting: readonly Fault[] = [...crashing.faults, ...CORRUPTION_FAULTS, 'lie'];
  const misbehaviours = random.below(2) === 1 ? [{ wrongChance: 1 / 20 }] : [];
  return { ...crashing, audit: 1, misbehaviours, faults: corrupting };
}
