/** How something changes what is measured beside it, again and again. */
export interface PairedRatio {
  readonly median: number;
  /** Where the median lies with a probability of 95% at least; the smallest and the largest ratio where they are few. */
  readonly interval: readonly [from: number, to: number];
  /** Of each pair. */
  readonly ratios: readonly number[];
}

/**
 * Compares each window under attack with those before and after it: a run becomes faster in its first seconds, and other
 * programs come and go.
 * @param without one more than `attacked`
 */
export function pairedRatio(without: readonly number[], attacked: readonly number[]): PairedRatio {
  const ratios = attacked.map(
    (value, i) => (2 * value) / ((without[i] as number) + (without[i + 1] as number)),
  );
  const sorted = [...ratios].sort((a, b) => a - b);
  const [from, to] = medianRanks(sorted.length);
  return {
    median: sorted[Math.floor(sorted.length / 2)] as number,
    interval: [sorted[from] as number, sorted[to] as number],
    ratios,
  };
}

/**
 * The places, in order of size, between which the median of what was drawn lies with 95%, whatever it is drawn from: each value is
 * below the median as often as a coin falls.
 */
function medianRanks(count: number): [from: number, to: number] {
  let from = 0;
  let outside = 0;
  let exactly = 0.5 ** count;
  for (let below = 0; below < count / 2; below++) {
    outside += 2 * exactly;
    if (outside > 0.05) break;
    from = below;
    exactly *= (count - below) / (below + 1);
  }
  return [from, count - 1 - from];
}
