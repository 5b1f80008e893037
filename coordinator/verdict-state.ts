import { type EarlyStopping, initialStopping } from '../shared/optim/early-stopping.js';
import { initialPlateau, type ReduceOnPlateau } from '../shared/optim/plateau.js';
import type { RunProgress } from './checkpoint.js';

/** When a run is evaluated, and what that decides. */
export interface EvaluationPolicy {
  /** The rate falls when evaluations get no better; left out: it does not. */
  readonly plateau?: { readonly settings: ReduceOnPlateau; readonly baseRate: number } | undefined;
  /** The run ends when evaluations get no better; left out: it does not. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Steps between two evaluations; left out: those of an epoch. */
  readonly evaluateEvery?: number | undefined;
}

/** What a run remembers of its evaluations as it begins, or goes on. */
export function initialVerdict(
  { plateau, earlyStopping }: EvaluationPolicy,
  from: RunProgress | undefined,
): Pick<RunProgress, 'plateau' | 'stopping'> {
  return {
    plateau: plateau && (from?.plateau ?? initialPlateau()),
    stopping: earlyStopping && (from?.stopping ?? initialStopping()),
  };
}
