import { input, output, type Size, updated } from './test-vector.js';

const forward = ({ rows, cols }: Size) => ({ x: input(rows * cols), y: output(rows * cols), n: rows * cols });
const backward = ({ rows, cols }: Size) => ({
  x: input(rows * cols),
  dy: input(rows * cols),
  dx: output(rows * cols),
  n: rows * cols,
});

/** Entries of the embedding table; ids are 0 to 3, so 3 is not an entry. */
const ENTRIES = 3;

/** Odd `rows`: causal attention. Even ones: a mask for padding. */
function attentionOf({ rows, inner, cols }: Size) {
  const causal = rows % 2;
  const [samples, heads, size] = [1 + (inner % 2), 2, 1 + (inner % 18)];
  const queries = cols;
  const keys = causal ? queries : cols + 3;
  const width = heads * size;
  return {
    samples,
    mask: causal ? (0 as const) : input(samples * keys, 'digit'),
    // The rows of q have other floats between them; k and v share the rows of one tensor.
    q: (samples * queries - 1) * (width + 2) + width,
    kv: (samples * keys - 1) * (2 * width) + width,
    out: samples * queries * width,
    probabilities: samples * heads * queries * keys,
    args: { rows: samples, heads, queries, keys, size, qPitch: width + 2, kPitch: 2 * width, causal },
  };
}

/** Test vectors of the kernels of Transformers: activations, layer normalisation, embeddings and attention. */
export const TRANSFORMER_TEST_VECTORS = {
  geluForward: forward,
  geluBackward: backward,
  siluForward: forward,
  siluBackward: backward,
  leakyReluForward: (size: Size) => ({ ...forward(size), slope: 0.3 }),
  leakyReluBackward: (size: Size) => ({ ...backward(size), slope: 0.3 }),

  layerNormalizationForward: ({ rows, cols }: Size) => ({
    x: input(rows * cols),
    gamma: input(cols),
    beta: input(cols),
    y: output(rows * cols),
    statistics: output(2 * rows),
    rows,
    cols,
    epsilon: 1e-5,
  }),
  layerNormalizationBackward: ({ rows, cols }: Size) => ({
    x: input(rows * cols),
    statistics: input(2 * rows),
    gamma: input(cols),
    dy: input(rows * cols),
    dx: output(rows * cols),
    rows,
    cols,
  }),
  treeLayerNormalizationScale: ({ rows, cols }: Size) => ({
    x: input(rows * cols),
    statistics: input(2 * rows),
    dy: input(rows * cols),
    out: output(cols),
    rows,
    cols,
    leafRows: 2,
  }),

  embeddingForward: ({ rows, cols }: Size) => ({
    ids: input(rows, 'digit'),
    table: input(ENTRIES * cols),
    out: output(rows * cols),
    rows,
    width: cols,
    entries: ENTRIES,
  }),
  treeScatterRows: ({ rows, cols }: Size) => ({
    ids: input(4 * rows, 'digit'),
    dy: input(4 * rows * cols),
    next: output(4 * rows),
    out: output(ENTRIES * cols),
    rows: 4 * rows,
    width: cols,
    entries: ENTRIES,
    leafRows: 2 + (rows % 2),
  }),
  addToRows: ({ rows, cols }: Size) => ({
    out: output(rows * cols),
    a: input(rows * cols),
    b: input(cols),
    rows,
    n: cols,
  }),
  addSinusoids: ({ inner, cols }: Size) => ({
    out: output(2 * inner * cols),
    a: input(2 * inner * cols),
    rows: 2,
    positions: inner,
    width: cols,
  }),

  attentionForward: (size: Size) => {
    const { mask, q, kv, out, probabilities, args } = attentionOf(size);
    const inputs = { q: input(q), k: input(kv), v: input(kv), mask };
    return { ...inputs, probabilities: output(probabilities), out: output(out), ...args };
  },
  attentionBackward: (size: Size) => {
    const { q, kv, out, probabilities, args } = attentionOf(size);
    const inputs = { q: input(q), k: input(kv), v: input(kv), dout: input(out) };
    const terms = { dq: updated(q), dk: updated(kv), dv: updated(kv) };
    return { ...inputs, probabilities: updated(probabilities, 'probability'), ...terms, ...args };
  },
} as const;
