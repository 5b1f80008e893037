import { type Call, type Expected, indices } from './expected.js';

/** Lower bound of the probability of a symbol, as in c/ctc.c. */
const SYMBOL_LEAST = 2 ** -100;

const logAdd = (a: number, b: number): number => {
  const top = Math.max(a, b);
  return top === Number.NEGATIVE_INFINITY ? top : top + Math.log(Math.exp(a - top) + Math.exp(b - top));
};

/**
 * CTC in logarithms, forward and backward independently and without scaling: the share of state s at step t is
 * exp(alpha + beta - ln p).
 */
export function ctcReference({ args, f32, i32 }: Call): Record<string, Expected> {
  const { rows, steps, cols, length } = args as Record<'rows' | 'steps' | 'cols' | 'length', number>;
  const ulps = 16 * steps + cols + 64;
  const errors: number[] = [];
  const sizes: number[] = [];
  const losses: number[] = [];
  const lossSizes: number[] = [];
  for (const r of indices(rows)) {
    const padded = Array.from(i32('labels').subarray(r * length, (r + 1) * length));
    const labels = padded.slice(0, padded.indexOf(0) < 0 ? length : padded.indexOf(0));
    const repeats = labels.filter((label, i) => i > 0 && label === labels[i - 1]).length;
    const isClass = labels.every((label) => label > 0 && label < cols);
    if (!isClass || labels.length + repeats > steps) {
      losses.push(isClass ? 0 : Number.NaN);
      lossSizes.push(0);
      errors.push(...Array(steps * cols).fill(0));
      sizes.push(...Array(steps * cols).fill(0));
      continue;
    }
    const y = indices(steps).map((t) => {
      const x = Array.from(f32('logits').subarray((r * steps + t) * cols, (r * steps + t + 1) * cols));
      const top = Math.max(...x);
      const powers = x.map((z) => (z - top <= -69 ? 0 : Math.exp(z - top)));
      const sum = powers.reduce((a, b) => a + b, 0);
      return powers.map((power) => power / sum);
    });
    const symbols = [0, ...labels.flatMap((label) => [label, 0])];
    const q = (t: number, s: number): number => Math.log(Math.max(y[t]![symbols[s]!]!, SYMBOL_LEAST));
    const isSkippedTo = (s: number): boolean => s >= 2 && symbols[s] !== 0 && symbols[s] !== symbols[s - 2];
    const walk = (from: number, by: 1 | -1): number[][] => {
      const table: number[][] = [];
      for (let t = from; t >= 0 && t < steps; t += by) {
        const before = table.at(-1);
        const isEnd = (s: number): boolean => (by === 1 ? s < 2 : s >= symbols.length - 2);
        table.push(
          symbols.map((_, s) => {
            if (before === undefined) return isEnd(s) ? q(t, s) : Number.NEGATIVE_INFINITY;
            let reached = logAdd(before[s]!, before[s - by] ?? Number.NEGATIVE_INFINITY);
            if (isSkippedTo(by === 1 ? s : s + 2))
              reached = logAdd(reached, before[s - 2 * by] ?? Number.NEGATIVE_INFINITY);
            return reached + q(t, s);
          }),
        );
      }
      return by === 1 ? table : table.reverse();
    };
    const [alpha, beta] = [walk(0, 1), walk(steps - 1, -1)];
    const last = alpha.at(-1)!;
    const logP = logAdd(last.at(-1)!, last.at(-2) ?? Number.NEGATIVE_INFINITY);
    losses.push(-logP);
    lossSizes.push(Math.abs(logP) + steps);
    for (const t of indices(steps)) {
      const gamma = Array(cols).fill(0) as number[];
      symbols.forEach((symbol, s) => {
        gamma[symbol]! += Math.exp(alpha[t]![s]! + beta[t]![s]! - q(t, s) - logP);
      });
      errors.push(...y[t]!.map((p, k) => p - gamma[k]!));
      sizes.push(...y[t]!.map((p, k) => p + gamma[k]!));
    }
  }
  return {
    errors: { values: errors, sizes, ulps },
    loss: { values: losses, sizes: lossSizes, ulps },
  };
}
