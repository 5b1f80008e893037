import { expect, it } from 'vitest';
import { decodeCtc } from '../../../trainer/decoding/ctc-greedy.js';

/** Outputs whose likeliest classes are these. */
const outputsOf = (paths: readonly number[][], classes: number): Float32Array =>
  Float32Array.from(
    paths.flatMap((path) =>
      path.flatMap((k) => Array.from({ length: classes }, (_, i) => (i === k ? 2 : -1))),
    ),
  );

it('merges equal neighbours, then removes blanks', () => {
  const paths = [
    [0, 1, 1, 0, 1, 2, 2, 0],
    [3, 3, 3, 0, 0, 3, 2, 1],
    [0, 0, 0, 0, 0, 0, 0, 0],
  ];
  expect(decodeCtc(outputsOf(paths, 4), 3, 4)).toEqual([[1, 1, 2], [3, 3, 2, 1], []]);
});
