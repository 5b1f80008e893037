/* The kernels of batch normalisation in plain TypeScript and double precision. */
import { type Call, type Expected, indices, sumOf } from './expected.js';

interface Measured {
  readonly value: number;
  /** The magnitude to which rounding errors are relative. */
  readonly size: number;
}

const argumentsOf = ({ args }: Call) => args as { readonly [name: string]: number };
const expected = (ulps: number, all: readonly Measured[]): Expected => ({
  ulps,
  values: all.map(({ value }) => value),
  sizes: all.map(({ size }) => size),
});

/** Indices in x of one channel of one group; `start`: samples of its group before the first row. */
function placesOf(call: Call, group: number, channel: number, start = 0): number[] {
  const { rows, positions, channels, group: samples } = argumentsOf(call);
  const [from, to] = [Math.max(0, group * samples! - start), Math.min(rows!, (group + 1) * samples! - start)];
  return indices(Math.max(0, to - from) * positions!).map(
    (i) => (from * positions! + i) * channels! + channel,
  );
}

function groupCount(call: Call): number {
  const { rows, group, start = 0 } = argumentsOf(call);
  return Math.ceil((rows! + start) / group!);
}

/** Statistic 0, 1 or 2 of a channel of a group. */
function statisticAt(call: Call, group: number, which: number, channel: number): number {
  const { group: samples, channels } = argumentsOf(call);
  return call.f32('statistics')[(group * samples! * 3 + which) * channels! + channel]!;
}

/** The normalised value of an element, from given statistics. */
function normalised(x: number, mean: number, inverse: number): Measured {
  return { value: (x - mean) * inverse, size: (Math.abs(x) + Math.abs(mean)) * Math.abs(inverse) };
}

/** Writes values at the indices of their channel and group. */
function fillGroups(call: Call, at: Measured[], fill: (group: number, channel: number) => Measured[]): void {
  for (const group of indices(groupCount(call))) {
    for (const channel of indices(call.args.channels!)) {
      const values = fill(group, channel);
      for (const [i, place] of placesOf(call, group, channel).entries()) at[place] = values[i]!;
    }
  }
}

function forward(call: Call): Record<string, Expected> {
  const { channels, group: samples, positions } = argumentsOf(call);
  const [x, gamma, beta] = [call.f32('x'), call.f32('gamma'), call.f32('beta')];
  const epsilon = Math.fround(call.args.epsilon!);
  const y: Measured[] = [];
  // The words between the statistics of the groups are not changed.
  const statistics = Array.from(call.f32('statistics'), (value): Measured => ({ value, size: 0 }));
  fillGroups(call, y, (group, channel) => {
    const values = placesOf(call, group, channel).map((place) => x[place]!);
    const n = values.length;
    const { sum, size } = sumOf(values);
    const mean = sum / n;
    const squares = sumOf(values.map((value) => (value - mean) ** 2)).sum;
    const inverse = 1 / Math.sqrt(squares / n + epsilon);
    const magnitude = squares > 2 ** 126 ? Number.POSITIVE_INFINITY : 1 + (size / n) * inverse;
    const keep = (which: number, kept: Measured): void => {
      statistics[(group * samples! * 3 + which) * channels! + channel] = kept;
    };
    keep(0, { value: mean, size: size / n });
    keep(1, { value: inverse, size: inverse * magnitude ** 2 });
    keep(2, { value: squares / n, size: magnitude === Infinity ? Infinity : squares / n + (size / n) ** 2 });
    return values.map((value) => {
      const h = (value - mean) * inverse;
      const wide = (1 + Math.abs(h)) * magnitude ** 2 * Math.abs(gamma[channel]!) + Math.abs(beta[channel]!);
      return { value: h * gamma[channel]! + beta[channel]!, size: wide };
    });
  });
  const ulps = samples! * positions! + 8;
  return { y: expected(ulps, y), statistics: expected(ulps, statistics) };
}

function backward(call: Call): Record<string, Expected> {
  const [x, gamma, dy] = [call.f32('x'), call.f32('gamma'), call.f32('dy')];
  const dx: Measured[] = [];
  fillGroups(call, dx, (group, channel) => {
    const places = placesOf(call, group, channel);
    const [mean, inverse] = [0, 1].map((which) => statisticAt(call, group, which, channel));
    const h = places.map((place) => normalised(x[place]!, mean!, inverse!));
    const sum = sumOf(places.map((place) => dy[place]!));
    const product = sumOf(places.map((place, i) => dy[place]! * h[i]!.value)).sum;
    const productSize = sumOf(places.map((place, i) => dy[place]! * h[i]!.size)).size;
    const factor = inverse! * gamma[channel]!;
    return places.map((place, i) => {
      const [slope, n] = [dy[place]!, places.length];
      return {
        value: factor * (slope - sum.sum / n - (h[i]!.value * product) / n),
        size: Math.abs(factor) * (Math.abs(slope) + sum.size / n + (h[i]!.size * productSize) / n),
      };
    });
  });
  return { dx: expected(2 * call.args.group! * call.args.positions! + 12, dx) };
}

export const REFERENCE_BATCH_NORMALIZATION = {
  batchNormalizationForward: forward,
  batchNormalizationBackward: backward,
  batchNormalizationInference: (call: Call) => {
    const { channels } = argumentsOf(call);
    const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((name) => call.f32(name));
    const epsilon = Math.fround(call.args.epsilon!);
    const y = Array.from(call.f32('x'), (x, i) => {
      const c = i % channels!;
      const { value, size } = normalised(x, mean![c]!, 1 / Math.sqrt(variance![c]! + epsilon));
      return {
        value: value * gamma![c]! + beta![c]!,
        size: size * Math.abs(gamma![c]!) + Math.abs(beta![c]!),
      };
    });
    return { y: expected(6, y) };
  },
  treeBatchNormalizationScale: (call: Call) => {
    const { channels, rows, positions, start } = argumentsOf(call);
    const [x, dy] = [call.f32('x'), call.f32('dy')];
    const out = indices(channels!).map((channel) => {
      const terms = indices(groupCount(call)).flatMap((group) => {
        const [mean, inverse] = [0, 1].map((which) => statisticAt(call, group, which, channel));
        return placesOf(call, group, channel, start).map((place) => {
          const { value, size } = normalised(x[place]!, mean!, inverse!);
          return { value: value * dy[place]!, size: size * dy[place]! };
        });
      });
      return { value: sumOf(terms.map((t) => t.value)).sum, size: sumOf(terms.map((t) => t.size)).size };
    });
    return { out: expected(rows! * positions! + 4, out) };
  },
  treeGroupStatistics: (call: Call) => {
    const { channels, rows, start, group: samples } = argumentsOf(call);
    const scale = Math.fround(call.args.scale!);
    const out = indices(channels!).map((channel) => {
      const terms = indices(rows!).map((r) => {
        const group = Math.floor((r + start!) / samples!);
        return scale * statisticAt(call, group, 0, channel);
      });
      const { sum, size } = sumOf(terms);
      return { value: sum, size };
    });
    return { out: expected(rows! + 2, out) };
  },
  moveAverage: ({ args, f32 }: Call) => {
    const share = Math.fround(args.share!);
    const value = f32('value');
    const moved = Array.from(f32('average'), (old, i) => ({
      value: old + share * (value[i]! - old),
      size: Math.abs(old) + share * (Math.abs(value[i]!) + Math.abs(old)),
    }));
    return { average: expected(2, moved) };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
