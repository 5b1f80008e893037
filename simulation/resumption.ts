import type { Checkpoint, RunProgress } from '../coordinator/storage/checkpoint.js';
import type { CheckpointStore, FoundLedger } from '../coordinator/storage/checkpoint-store.js';
import type { AuditMemory } from '../coordinator/storage/member-ledger.js';
import { INITIAL_RESIDUAL, INITIAL_WEIGHTS, weightsOf } from './arithmetic.js';
import type { Vectors } from './virtual-executor.js';

/** What a coordinator finds on its disk when it is started anew. */
export interface Resumption {
  readonly step: number;
  /** Newer checkpoints that are of no use. */
  readonly damaged: number;
  readonly vectors: Vectors;
  /** Undefined: the run begins anew. */
  readonly progress: RunProgress | undefined;
  readonly memory: AuditMemory | undefined;
  /** By step, what the states hold that the run can go back to. */
  readonly bases: ReadonlyMap<number, Vectors>;
}

const INITIAL: RunProgress = { step: 0, optimizer: {}, best: null };
const INITIAL_VECTORS: Vectors = { weights: INITIAL_WEIGHTS, best: undefined, residual: INITIAL_RESIDUAL };

/** Reads what `--resume` reads: the newest checkpoint that is intact, and what the run remembers of its members. */
export async function findResumption(store: CheckpointStore): Promise<Resumption> {
  const { checkpoint, damaged } = await store.newest();
  const step = checkpoint?.progress.step ?? 0;
  const { ledger, lost }: Partial<FoundLedger> = (await store.ledger()) ?? {};
  if (lost !== undefined) throw new Error('what the run remembers of its members is damaged');
  const saved = await store.loadWhole(ledger?.bases.filter((base) => 0 < base && base <= step) ?? []);
  const bases = new Map([[0, INITIAL_VECTORS]]);
  for (const base of saved) bases.set(base.progress.step, vectorsOf(base));
  const kept = [INITIAL, ...saved.map(({ progress }) => progress)];
  return {
    ...{ step, damaged: damaged.length, bases },
    vectors: checkpoint === undefined ? INITIAL_VECTORS : vectorsOf(checkpoint),
    progress: checkpoint?.progress,
    memory: ledger && { ledger, kept },
  };
}

function vectorsOf({
  parameters: [weights],
  best: [best] = [],
  residual: [residual] = [],
}: Checkpoint): Vectors {
  return {
    weights: weights === undefined ? INITIAL_WEIGHTS : weightsOf(weights),
    best: best && weightsOf(best),
    residual: residual === undefined ? INITIAL_RESIDUAL : weightsOf(residual),
  };
}
