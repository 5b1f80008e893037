import type { Plan } from '../../compiler/plan.js';

/** What the vector of a partial sum holds. */
export interface SumLayout {
  /** Its length. */
  readonly floats: number;
  /** With a codec: so many words from the first on are codes, and not floats. */
  readonly codeWords?: number;
  /** The first of the metric sums, which come last. */
  readonly metricsAt: number;
  /** Its parts by name, in floats. Gaps between them are zeros. */
  readonly parts: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

/** The sum of leaves of a batch: the gradient of each parameter, and the metric sums. */
export function gradientLayout({
  parameters,
  gradientFloats,
  vectorFloats,
}: Pick<Plan, 'parameters' | 'gradientFloats' | 'vectorFloats'>): SumLayout {
  return {
    floats: vectorFloats,
    metricsAt: gradientFloats,
    parts: [
      ...parameters
        .filter(({ isFrozen }) => !isFrozen)
        .map(({ name, offset, size }) => ({ name, from: offset, to: offset + size })),
      { name: 'metrics', from: gradientFloats, to: vectorFloats },
    ],
  };
}
