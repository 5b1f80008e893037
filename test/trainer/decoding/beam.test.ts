import { describe, expect, it } from 'vitest';
import { type BeamRequest, decodeByBeam } from '../../../trainer/decoding/beam.js';
import { decodeGreedily } from '../../../trainer/decoding/greedy.js';
import { spread } from '../../support/numbers.js';

const [END, START, CLASSES, LENGTH] = [0, 1, 4, 4];

/** Logits that depend on the row's input and on all symbols before, in an arbitrary way. */
function logitsAfter(seed: number, before: readonly number[]): Float32Array {
  const place = before.reduce((sum, symbol) => sum * CLASSES + symbol, seed);
  return spread(place, CLASSES).map((x) => 3 * x);
}

/** A model of three rows. */
const request: Omit<BeamRequest, 'width' | 'lengthPenalty'> = {
  predictor: {
    predict: async ({ seed, before }) => {
      const rows = (seed as Float32Array).length;
      const outputs = new Float32Array(rows * LENGTH * CLASSES);
      for (let row = 0; row < rows; row++)
        for (let position = 0; position < LENGTH; position++) {
          const prefix = [
            ...(before as Float32Array).subarray(row * LENGTH + 1, row * LENGTH + 1 + position),
          ];
          outputs.set(
            logitsAfter((seed as Float32Array)[row] as number, prefix),
            (row * LENGTH + position) * CLASSES,
          );
        }
      return outputs;
    },
  },
  inputs: { seed: Float32Array.of(11, 12, 13) },
  before: 'before',
  rows: 3,
  length: LENGTH,
  start: START,
  end: END,
};

/** All complete rows, with their scores. */
function everyRow(seed: number, lengthPenalty: number): { symbols: number[]; score: number }[] {
  const walk = (before: number[], score: number): { symbols: number[]; score: number }[] => {
    if (before.length === LENGTH) return [];
    const logits = logitsAfter(seed, before);
    const logSum = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
    return Array.from(logits).flatMap((logit, symbol) => {
      const symbols = [...before, symbol];
      const total = score + logit - logSum;
      if (symbol !== END) return walk(symbols, total);
      return [{ symbols, score: total / ((5 + symbols.length) / 6) ** lengthPenalty }];
    });
  };
  return walk([], 0);
}

describe('beam search', () => {
  it.each([0, 0.6, 2])(
    'finds the best of all rows when no hypothesis is dropped, length penalty %d',
    async (lengthPenalty) => {
      const decoded = await decodeByBeam({ ...request, width: 1000, lengthPenalty });
      const best = [11, 12, 13].map((seed) =>
        everyRow(seed, lengthPenalty).reduce((a, b) => (b.score > a.score ? b : a)),
      );
      expect(decoded.map((symbols) => [...symbols])).toEqual(best.map(({ symbols }) => symbols));
    },
  );

  it('is greedy with one hypothesis', async () => {
    const decoded = await decodeByBeam({ ...request, width: 1, lengthPenalty: 0 });
    const greedy = (await decodeGreedily(request)).map((symbols) => {
      const end = symbols.indexOf(END);
      return [...symbols.slice(0, end < 0 ? LENGTH : end + 1)];
    });
    expect(decoded.map((symbols) => [...symbols])).toEqual(greedy);
  });

  it('finds better rows than greedy decoding, with few hypotheses', async () => {
    const rows = 40;
    const many = {
      ...request,
      rows,
      inputs: { seed: Float32Array.from({ length: rows }, (_, i) => 100 + i) },
    };
    const scoresOf = async (width: number) => {
      const decoded = await decodeByBeam({ ...many, width, lengthPenalty: 0 });
      return decoded.map((symbols, i) => {
        const same = (row: { symbols: number[] }) => `${row.symbols}` === `${[...symbols]}`;
        return everyRow(100 + i, 0).find(same)?.score ?? Number.NEGATIVE_INFINITY;
      });
    };
    const [one, three] = [await scoresOf(1), await scoresOf(3)];
    expect(three.filter((score, i) => score > (one[i] as number)).length).toBeGreaterThan(0);
  });
});
