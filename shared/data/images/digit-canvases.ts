/*
 * Images with several digits, composed of single ones: classes and positions are known exactly.
 */
import { assert } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { drawsOf } from '../draws.js';
import { fieldValues } from '../field-values.js';

/** Side length of a canvas in pixels. */
export const CANVAS = 64;
/** Cells per side of a canvas; a cell has 8 x 8 pixels. */
export const GRID = 8;
const CELL = CANVAS / GRID;
/** Values per cell: whether the centre of a digit is in it, its box, its class. */
export const CELL_NUMBERS = 5 + 10;
const DIGITS_MOST = 3;
/** Positions that are tried for a digit before it is left out. */
const ATTEMPTS_MOST = 50;
const SIDE = 28;

/** The rectangle around a digit: pixels from left to right - 1, top to bottom - 1. */
interface Placed {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Canvases of 64 x 64 with 1 to 3 digits whose rectangles do not touch.
 * Fields: `image` (u8 [64, 64], scaled to 0 to 1), `cells` (u8 [8, 8, 15], scaled to 0 to 1). A cell is 1 if it contains the
 * centre of a digit; then follow the centre's position in the cell, the rectangle's width and height relative to the canvas,
 * and a one-hot class.
 *
 * @param digits a data set in MNIST's format: fields `image` and `label`
 * @param seed chooses digits and positions
 */
export function canvasDataset(name: string, digits: Dataset, count: number, seed: number): Dataset {
  const pixels = fieldValues(digits, 'image');
  const labels = fieldValues(digits, 'label');
  const below = drawsOf(seed);
  const image = new Uint8Array(count * CANVAS * CANVAS);
  const cells = new Uint8Array(count * GRID * GRID * CELL_NUMBERS);
  for (let canvas = 0; canvas < count; canvas++) {
    const picture = image.subarray(canvas * CANVAS * CANVAS, (canvas + 1) * CANVAS * CANVAS);
    const grid = cells.subarray(
      canvas * GRID * GRID * CELL_NUMBERS,
      (canvas + 1) * GRID * GRID * CELL_NUMBERS,
    );
    const placed: Placed[] = [];
    for (let wanted = 1 + below(DIGITS_MOST); wanted > 0; wanted--) {
      const digit = below(labels.length);
      const ink = pixels.subarray(digit * SIDE * SIDE, (digit + 1) * SIDE * SIDE);
      const place = findPlace(inkOf(ink), placed, grid, below);
      if (place === undefined) continue;
      placed.push(place);
      draw(picture, ink, place);
      describe(grid, place, labels[digit] as number);
    }
  }
  const scale = Math.fround(1 / 255);
  const columns = {
    image: { dtype: 'u8', shape: [CANVAS, CANVAS], bytes: image, scale, shift: 0 },
    cells: { dtype: 'u8', shape: [GRID, GRID, CELL_NUMBERS], bytes: cells, scale, shift: 0 },
  } as const;
  return packDataset(name, count, columns, sha256Hex);
}

/** The rectangle around a digit in its image; the whole image if it is empty. */
function inkOf(ink: Float32Array): Placed {
  let [left, top, right, bottom] = [SIDE, SIDE, 0, 0];
  ink.forEach((value, i) => {
    if (value === 0) return;
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  });
  return right === 0 ? { left: 0, top: 0, right: SIDE, bottom: SIDE } : { left, top, right, bottom };
}

/** A position at which the digit touches no other, with its centre in a cell of its own. */
function findPlace(
  ink: Placed,
  placed: readonly Placed[],
  grid: Uint8Array,
  below: (bound: number) => number,
): (Placed & { ink: Placed }) | undefined {
  const [width, height] = [ink.right - ink.left, ink.bottom - ink.top];
  for (let attempt = 0; attempt < ATTEMPTS_MOST; attempt++) {
    const [left, top] = [below(CANVAS - width + 1), below(CANVAS - height + 1)];
    const place = { left, top, right: left + width, bottom: top + height, ink };
    const touches = placed.some(
      (other) =>
        place.left < other.right &&
        other.left < place.right &&
        place.top < other.bottom &&
        other.top < place.bottom,
    );
    if (!touches && grid[cellOf(place) * CELL_NUMBERS] === 0) return place;
  }
  return undefined;
}

function cellOf({ left, top, right, bottom }: Placed): number {
  const [column, row] = [Math.floor((left + right) / 2 / CELL), Math.floor((top + bottom) / 2 / CELL)];
  assert(column < GRID && row < GRID, 'the centre of a digit is on the canvas');
  return row * GRID + column;
}

function draw(picture: Uint8Array, ink: Float32Array, place: Placed & { ink: Placed }): void {
  for (let y = place.top; y < place.bottom; y++)
    for (let x = place.left; x < place.right; x++) {
      const from = (y - place.top + place.ink.top) * SIDE + (x - place.left + place.ink.left);
      picture[y * CANVAS + x] = Math.round((ink[from] as number) * 255);
    }
}

function describe(grid: Uint8Array, place: Placed, label: number): void {
  const at = cellOf(place) * CELL_NUMBERS;
  const [x, y] = [(place.left + place.right) / 2, (place.top + place.bottom) / 2];
  const shares = [
    1,
    (x % CELL) / CELL,
    (y % CELL) / CELL,
    (place.right - place.left) / CANVAS,
    (place.bottom - place.top) / CANVAS,
  ];
  shares.forEach((share, i) => {
    grid[at + i] = Math.round(share * 255);
  });
  grid[at + 5 + label] = 255;
}
