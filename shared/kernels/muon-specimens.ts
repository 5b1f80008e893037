import { input, output, type Size, updated } from './specimen.js';

/** Calls of what Muon is made of, beside products of matrices. */
export const MUON_SPECIMENS = {
  muonMomentum: ({ rows, cols }: Size) => ({
    gradient: input(rows * cols),
    momentum: updated(rows * cols),
    out: output(rows * cols),
    n: rows * cols,
    scalars: input(5, { floats: [0.02, 0.001, 0.95, 0.05, rows % 2] }),
  }),
  normalizeVector: ({ rows, cols }: Size) => ({
    a: updated(rows * cols),
    total: input(2, { floats: cols % 2 ? [6.25, 0] : [0, 2.25] }),
    n: rows * cols,
    epsilon: 1e-7,
  }),
  blendVectors: ({ rows, cols }: Size) => ({
    a: input(rows * cols),
    b: input(rows * cols),
    out: output(rows * cols),
    n: rows * cols,
    p: -4.775,
    q: 2.0315,
  }),
  muonUpdate: ({ rows, cols }: Size) => ({
    weights: updated(rows * cols),
    direction: input(rows * cols),
    n: rows * cols,
    scale: 1.5,
    scalars: input(5, { floats: [0.02, 0.001, 0.95, 0.05, 0] }),
  }),
};
