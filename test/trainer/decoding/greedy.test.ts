import { describe, expect, it } from 'vitest';
import { decodeGreedily } from '../../../trainer/decoding/greedy.js';

/** For each row a table with the scores of the next symbol, by the symbol before. */
const TABLES = [
  [
    [0, 5, 1],
    [0, 1, 9],
    [3, 3, 0],
    [1, 2, 0],
  ],
  [
    [4, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
    [0, 0, 7],
  ],
];

describe('greedy decoding', () => {
  it('takes the likeliest symbol after those before it, the first of equals', async () => {
    const asked: number[][] = [];
    const written = await decodeGreedily({
      predictor: {
        async predict({ row, before }) {
          asked.push([...(before as Float32Array)]);
          const scores = Array.from(before as Float32Array, (symbol, at) => {
            const table = TABLES[(row as Float32Array)[Math.floor(at / 4)] as number];
            return table?.[symbol] as number[];
          });
          return Float32Array.from(scores.flat());
        },
      },
      inputs: { row: Float32Array.of(0, 1) },
      before: 'before',
      rows: 2,
      length: 4,
      start: 3,
    });
    expect(written.map((symbols) => [...symbols])).toEqual([
      [1, 2, 0, 1],
      [2, 1, 2, 1],
    ]);
    expect(asked.map((prefix) => prefix.slice(0, 4))).toEqual([
      [3, 3, 3, 3],
      [3, 1, 3, 3],
      [3, 1, 2, 3],
      [3, 1, 2, 0],
    ]);
  });
});
