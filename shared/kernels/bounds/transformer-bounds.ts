import type { KernelArguments } from '../command-buffer.js';

type N = { readonly n: number };
const forward = ({ n }: N) => ({ x: n, y: n });
const backward = ({ n }: N) => ({ x: n, dy: n, dx: n });

type Attention = Omit<
  KernelArguments<'attentionForward'>,
  'q' | 'k' | 'v' | 'mask' | 'probabilities' | 'out'
>;
/** Words of rows that lie `pitch` apart: the last row ends after its own words. */
const spaced = (rows: number, pitch: number, words: number) => (rows - 1) * pitch + words;
function attention({ rows, heads, queries, keys, size, qPitch, kPitch }: Attention) {
  const width = heads * size;
  return {
    q: spaced(rows * queries, qPitch, width),
    kv: spaced(rows * keys, kPitch, width),
    out: rows * queries * width,
    probabilities: rows * heads * queries * keys,
    mask: rows * keys,
  };
}

/** Bounds of the kernels of Transformers: activations, layer normalisation, embeddings and attention. */
export const TRANSFORMER_BOUNDS = {
  geluForward: forward,
  geluBackward: backward,
  siluForward: forward,
  siluBackward: backward,
  leakyReluForward: forward,
  leakyReluBackward: backward,

  layerNormalizationForward: ({ rows, cols }: KernelArguments<'layerNormalizationForward'>) => ({
    ...{ x: rows * cols, y: rows * cols, statistics: 2 * rows },
    ...{ gamma: cols, beta: cols },
  }),
  layerNormalizationBackward: ({ rows, cols }: KernelArguments<'layerNormalizationBackward'>) => ({
    ...{ x: rows * cols, dy: rows * cols, dx: rows * cols, statistics: 2 * rows, gamma: cols },
  }),
  treeLayerNormalizationScale: ({ rows, cols }: KernelArguments<'treeLayerNormalizationScale'>) => ({
    ...{ x: rows * cols, dy: rows * cols, statistics: 2 * rows, out: cols },
  }),

  embeddingForward: ({ rows, width, entries }: KernelArguments<'embeddingForward'>) => ({
    ...{ ids: rows, table: entries * width, out: rows * width },
  }),
  treeScatterRows: ({ rows, width, entries }: KernelArguments<'treeScatterRows'>) => ({
    ...{ ids: rows, dy: rows * width, next: rows, out: entries * width },
  }),
  addToRows: ({ rows, n }: KernelArguments<'addToRows'>) => ({ out: rows * n, a: rows * n, b: n }),
  addSinusoids: ({ rows, positions, width }: KernelArguments<'addSinusoids'>) => ({
    ...{ out: rows * positions * width, a: rows * positions * width },
  }),

  attentionForward: (a: KernelArguments<'attentionForward'>) => {
    const { q, kv, out, probabilities, mask } = attention(a);
    return { q, k: kv, v: kv, mask: { orNone: mask }, probabilities, out };
  },
  attentionBackward: (a: KernelArguments<'attentionBackward'>) => {
    const { q, kv, out, probabilities } = attention(a);
    const terms = { dq: { orNone: q }, dk: { orNone: kv }, dv: { orNone: kv } };
    return { q, k: kv, v: kv, probabilities, dout: out, ...terms };
  },
} as const;
