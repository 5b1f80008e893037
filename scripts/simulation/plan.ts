import { SeededRandom } from '../../shared/actor/seeded-random.js';

/** What is simulated. The same plan takes the same course everywhere. */
export interface SimulationPlan {
  readonly seed: number;
  readonly workers: number;
  readonly steps: number;
  /** Whether anything goes wrong. */
  readonly faults: boolean;
  /** Somebody lies where only part of the work is audited. Left out: where there are liars, everything is audited. */
  readonly liar?: {
    /** Fraction of the work that is computed twice. */
    readonly audit: number;
    /** One answer in so many is wrong. */
    readonly every: number;
  };
}

/** What can go wrong; how often each did is told in the end. */
export const FAULTS = [
  'cut',
  'linger',
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

export type Fault = (typeof FAULTS)[number];

/** What a plan comes to: everything that is decided before the run. */
export interface Setting {
  readonly seed: number;
  readonly steps: number;
  /** Nodes on machines of their own. */
  readonly workers: number;
  /** Nodes in the coordinator's process, on its memory. They are reliable: a thread that dies ends the run. */
  readonly locals: number;
  readonly minWorkers: number;
  /** Fraction of what comes over links that is computed twice. */
  readonly audit: number;
  /** What may go wrong. */
  readonly faults: readonly Fault[];
  /** Nodes that lie, and how often. */
  readonly liars: number;
  readonly lieChance: number;
  /** Wrong sums never count, not even until they are found. */
  readonly isStrict: boolean;
  /** The run is saved after so many steps, to a virtual disk; 0: never. */
  readonly saveEvery: number;
  /** Leaves of each batch. Left out: as many as the nodes need, and a ragged batch at the end of each epoch. */
  readonly leaves?: number;
}

/** Whom a liar is to be found out by, where nobody lives in the coordinator's own process: two who say the same. */
const WORKERS_BESIDE_LIAR = 4;

/** Faults of machines and networks that are honest. */
const HONEST: readonly Fault[] = ['cut', 'linger', 'partition', 'pause', 'crash', 'restart', 'leave'];
const CORRUPT: readonly Fault[] = ['payload-flip', 'memory-flip'];
/** Faults of the coordinator's machine and its disk. */
export const DURABLE: readonly Fault[] = ['coordinator-crash', 'power-loss', 'slow-disk', 'full-disk'];

/**
 * A liar that is audited in part, where the plan asks for that; or four kinds of runs, decided by the seed: liars among
 * nodes that are reliable, so that there are always two who agree; honest nodes over a bad network; the same with a
 * coordinator that is killed, and a disk; the same without. In the last two some nodes may live in the coordinator's own
 * process, and then bits may flip and nodes lie as well, since there is always one to be believed.
 */
export function settingOf({ seed, workers, steps, faults, liar }: SimulationPlan): Setting {
  const random = new SeededRandom(seed ^ 0x5e771e);
  const honest = {
    seed,
    steps,
    workers,
    locals: 0,
    minWorkers: 1,
    liars: 0,
    lieChance: 0,
    isStrict: true,
    saveEvery: 0,
  };
  if (liar !== undefined) {
    const { audit, every } = liar;
    const unseen = { locals: random.below(2), audit, liars: 1, lieChance: 1 / every, isStrict: false };
    return { ...honest, ...unseen, faults: faults ? [...HONEST, 'lie'] : ['lie'] };
  }
  const audit = random.below(3) / 4;
  if (!faults) return { ...honest, audit, faults: [] };
  const kind = random.below(4);
  if (kind === 0 && workers >= WORKERS_BESIDE_LIAR)
    return { ...honest, audit: 1, minWorkers: workers, liars: 1, lieChance: 1 / 4, faults: ['lie'] };
  if (kind === 1) return { ...honest, audit, faults: HONEST };
  const locals = 1 + random.below(2);
  const saveEvery = kind === 2 ? 1 + random.below(12) : 0;
  const crashing = { ...honest, locals, saveEvery, faults: saveEvery > 0 ? [...HONEST, ...DURABLE] : HONEST };
  if (random.chance(0.5)) return { ...crashing, locals: random.below(3), audit };
  const corrupt: readonly Fault[] = [...crashing.faults, ...CORRUPT, 'lie'];
  return { ...crashing, audit: 1, liars: random.below(2), lieChance: 1 / 20, faults: corrupt };
}
