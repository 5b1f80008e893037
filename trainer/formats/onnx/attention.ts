import type { GraphWriter, Name } from './graph-writer.js';
import type { NodeUse } from './node-use.js';

/** Hides a key: its probability is 0. */
const HIDDEN = -1e30;

/** Attention of shared/graph/ops/attention.ts. */
export function attention(to: GraphWriter, { node, inputs }: NodeUse): Name {
  const { name, inputShapes } = node;
  const { heads, causal, masked } = node.attributes as { heads: number; causal: boolean; masked: boolean };
  const [queries = 0] = inputShapes[0];
  const width = node.shape[1] as number;
  const isSelf = inputs.length - (masked ? 1 : 0) === 1;
  const [keys = 0] = isSelf ? inputShapes[0] : (inputShapes[1] as readonly number[]);
  const [first, second = first] = inputs;
  const size = width / heads;
  const keysFrom = isSelf ? width : 0;
  const headsOf = (x: Name, from: number, positions: number, order: readonly number[]): Name => {
    const part = to.slice(name, x, 2, from, from + width);
    return to.transpose(name, to.reshape(name, part, [positions, heads, size]), order);
  };
  const q = headsOf(first, 0, queries, [0, 2, 1, 3]);
  const k = headsOf(isSelf ? first : second, keysFrom, keys, [0, 2, 3, 1]);
  const v = headsOf(isSelf ? first : second, keysFrom + width, keys, [0, 2, 1, 3]);
  const scores = to.add('Mul', name, [to.add('MatMul', name, [q, k]), to.number(1 / Math.sqrt(size))]);
  const visible: Name[] = [];
  if (causal) {
    const values = Uint8Array.from({ length: queries * keys }, (_, at) => Number(at % keys <= at / keys));
    visible.push(to.truths(`causal:${queries},${keys}`, [queries, keys], values));
  }
  if (masked) {
    const mask = to.reshape(name, inputs.at(-1) as Name, [1, 1, keys]);
    visible.push(to.add('Not', name, [to.add('Equal', name, [mask, to.number(0)])]));
  }
  const weighted = (probabilities: Name): Name => {
    const result = to.transpose(name, to.add('MatMul', name, [probabilities, v]), [0, 2, 1, 3]);
    return to.reshape(name, result, [queries, width]);
  };
  const [one, other] = visible;
  if (one === undefined) return weighted(to.add('Softmax', name, [scores], { axis: -1 }));
  const seen = other === undefined ? one : to.add('And', name, [one, other]);
  const shown = to.add('Where', name, [seen, scores, to.number(HIDDEN)]);
  const probabilities = to.add('Softmax', name, [shown], { axis: -1 });
  // Where all keys are hidden, nothing is attended to.
  return weighted(to.add('Where', name, [seen, probabilities, to.number(0)]));
}
