import { expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { CANVAS, CELL_NUMBERS, canvasDataset, GRID } from '../../../shared/data/images/digit-canvases.js';
import { packSamples } from '../../../shared/data/samples.js';

/** Digits of full ink: solid rectangles, as high as their label and 3 more, 4 wide. */
const DIGITS = packSamples('blocks', {
  image: {
    shape: [28, 28],
    values: Array.from({ length: 10 }, (_, label) =>
      Array.from({ length: 784 }, (_, i) => {
        const [x, y] = [i % 28, Math.floor(i / 28)];
        return x >= 5 && x < 9 && y >= 6 && y < 9 + label ? 1 : 0;
      }),
    ),
  },
  label: { shape: [], dtype: 'i32', values: Array.from({ length: 10 }, (_, label) => label) },
});
const COUNT = 200;

it('cells tell where all the ink is, and of which digit', () => {
  const data = canvasDataset('canvases', DIGITS, COUNT, 5);
  const [image, cells] = [fieldValues(data, 'image'), fieldValues(data, 'cells')];
  const counts = new Set<number>();
  for (let canvas = 0; canvas < COUNT; canvas++) {
    const picture = image.slice(canvas * CANVAS ** 2, (canvas + 1) * CANVAS ** 2);
    let digits = 0;
    for (let cell = 0; cell < GRID * GRID; cell++) {
      const at = (canvas * GRID * GRID + cell) * CELL_NUMBERS;
      const [object = 0, right = 0, down = 0, wide = 0, high = 0] = cells.subarray(at, at + 5);
      if (object === 0) continue;
      digits += 1;
      const [width, height] = [Math.round(wide * CANVAS), Math.round(high * CANVAS)];
      const left = Math.round(((cell % GRID) + right) * 8 - width / 2);
      const top = Math.round((Math.floor(cell / GRID) + down) * 8 - height / 2);
      expect([...cells.subarray(at + 5, at + CELL_NUMBERS)].indexOf(1)).toBe(height - 3);
      expect(width).toBe(4);
      for (let y = top; y < top + height; y++)
        for (let x = left; x < left + width; x++) {
          expect(picture[y * CANVAS + x]).toBe(1);
          picture[y * CANVAS + x] = 0;
        }
    }
    counts.add(digits);
    expect(picture.every((ink) => ink === 0)).toBe(true);
  }
  expect([...counts].sort()).toEqual([1, 2, 3]);
});

it('a seed decides everything', () => {
  const hashes = (seed: number) => canvasDataset('canvases', DIGITS, 20, seed).manifest.chunkHashes;
  expect(hashes(1)).toEqual(hashes(1));
  expect(hashes(1)).not.toEqual(hashes(2));
});

it('refuses a name that links would not take', () => {
  const one = { x: { shape: [], values: [1] } };
  expect(() => packSamples('my data', one)).toThrow(
    '"my data" is not a valid name of a data set; use letters',
  );
});
