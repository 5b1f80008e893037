import { input, type Size, updated } from './specimen.js';

/** Calls of the optimizers' updates, and of what comes before them. */
export const OPTIMIZER_SPECIMENS = {
  sgdUpdate: ({ rows, cols }: Size) => ({
    weights: updated(rows * cols),
    gradient: input(rows * cols),
    momentum: updated(rows * cols),
    n: rows * cols,
    scalars: input(4, { floats: [0.1, 0.9, rows % 2, 0.01] }),
  }),
  adamUpdate: ({ rows, cols }: Size) => ({
    weights: updated(rows * cols),
    gradient: input(rows * cols),
    m: updated(rows * cols),
    v: updated(rows * cols, 'positive'),
    n: rows * cols,
    scalars: input(8, { floats: [0.003, 0.9, 0.1, 0.999, 0.001, 250, 1e-7, 0.01] }),
  }),
  rmspropUpdate: ({ rows, cols }: Size) => ({
    weights: updated(rows * cols),
    gradient: input(rows * cols),
    v: updated(rows * cols, 'positive'),
    momentum: updated(rows * cols),
    n: rows * cols,
    scalars: input(6, { floats: [0.003, 0.9, 0.1, 1e-7, 0.8, 0.01] }),
  }),
  adagradUpdate: ({ rows, cols }: Size) => ({
    weights: updated(rows * cols),
    gradient: input(rows * cols),
    v: updated(rows * cols, 'positive'),
    n: rows * cols,
    scalars: input(3, { floats: [0.003, 1e-7, 0.01] }),
  }),
  clampVector: ({ rows, cols }: Size) => ({ a: updated(rows * cols), n: rows * cols, limit: 0.5 }),
  shrinkVector: ({ rows, cols }: Size) => ({
    a: updated(rows * cols),
    total: input(2, { floats: [rows % 2 ? 6.25 : 0.01, cols % 3 === 0 ? 2.25 : 0] }),
    n: rows * cols,
    limit: 0.5,
  }),
  addPenalty: ({ rows, cols }: Size) => ({
    gradient: updated(rows * cols),
    weights: input(rows * cols),
    n: rows * cols,
    l1: 0.125,
    l2: 0.01,
  }),
  addGradientNoise: ({ rows, cols }: Size) => ({
    gradient: updated(rows * cols),
    step: input(1, { words: [rows * 7] }),
    n: rows * cols,
    first: 16 * rows,
    key0: 0x243f6a88,
    key1: -5,
    scale: 0.5,
    decay: 0.55,
  }),
  lionUpdate: ({ rows, cols }: Size) => ({
    weights: updated(rows * cols),
    gradient: input(rows * cols),
    m: updated(rows * cols),
    n: rows * cols,
    scalars: input(6, { floats: [0.003, 0.9, 0.1, 0.99, 0.01, 0.02] }),
  }),
};
