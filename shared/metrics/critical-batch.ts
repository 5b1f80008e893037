/*
 * The critical batch: beyond it, more samples a step hardly reduce the number of steps, and so more machines hardly shorten a
 * run by plain data parallelism. It is estimated by the gradient noise scale B = tr(S) / |G|^2, where G is the mean of all
 * samples' gradients and S their covariance (McCandlish et al., An Empirical Model of Large-Batch Training, 2018,
 * arXiv:1812.06162, section 2.2 and appendix A.1).
 *
 * The mean gradient of n samples has the expected square |G|^2 + tr(S) / n, so two disjoint parts of one batch tell both. One
 * estimate is rough, and either part of it may be negative; sums over many steps are not.
 */

/** Estimates from one batch, without bias. */
export interface GradientSpread {
  /** Of |G|^2. */
  readonly signal: number;
  /** Of tr(S). */
  readonly noise: number;
}

/** The sum of the gradients of some samples of a batch, each divided by the samples of the batch. */
export interface PartialGradient {
  /** Any number of parameters, the same in both parts. */
  readonly parameters: readonly Float32Array[];
  readonly samples: number;
}

/** Compares two disjoint parts, which together are a batch. */
export function spreadOf(a: PartialGradient, b: PartialGradient): GradientSpread {
  const samples = a.samples + b.samples;
  let [difference, total] = [0, 0];
  for (const [i, first] of a.parameters.entries()) {
    const second = b.parameters[i] as Float32Array;
    for (let j = 0; j < first.length; j++) {
      const [x, y] = [first[j] as number, second[j] as number];
      difference += ((x * samples) / a.samples - (y * samples) / b.samples) ** 2;
      total += (x + y) ** 2;
    }
  }
  const noise = difference / (1 / a.samples + 1 / b.samples);
  return { signal: total - noise / samples, noise };
}

/**
 * The critical batch over these steps, in samples.
 * @returns undefined where the steps are too few to tell: the noise hides the mean gradient
 */
export function criticalBatch(spreads: readonly GradientSpread[]): number | undefined {
  const sum = (of: (spread: GradientSpread) => number): number =>
    spreads.reduce((all, spread) => all + of(spread), 0);
  const [signal, noise] = [sum((one) => one.signal), sum((one) => one.noise)];
  return signal > 0 && Number.isFinite(noise) ? noise / signal : undefined;
}
