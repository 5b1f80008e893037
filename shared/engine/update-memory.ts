import type { Plan } from '../compiler/plan.js';
import type { ComputeMemory } from './memory.js';
import type { SumCodec } from './step/sum-codec.js';
import { guardFloats, type Updater } from './step/updater.js';

/** How gradients become updates of weights. */
export type UpdateRule = Pick<Updater, 'optimizer' | 'clipping' | 'noise'>;

/**
 * Allocates what a machine needs to update weights.
 * @param codec of the run; left out: it has none
 * @param isCoordinator it makes updates for others too, and keeps what rounding takes from them where the codec says so
 */
export function allocateOptimizer(
  { memory }: { readonly memory: ComputeMemory },
  plan: Plan,
  rule: UpdateRule,
  codec?: SumCodec,
  isCoordinator = true,
): Updater {
  const bytes = plan.parameterFloats * 4;
  const residual = (): number => memory.allocate(bytes, 'residuals');
  return {
    ...rule,
    state: Array.from({ length: rule.optimizer.buffers }, () => memory.allocate(bytes, 'optimizer states')),
    norms: memory.allocate(2 * guardFloats(plan) * 4, 'norms of gradients'),
    ...(codec && { update: memory.allocate(codec.updateBytes, 'updates') }),
    ...(codec?.keepsResidual && isCoordinator && { residual: { now: residual(), next: residual() } }),
  };
}
