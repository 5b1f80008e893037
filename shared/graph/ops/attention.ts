/*
 * attention (Vaswani et al. 2017), for each head of `size` elements; q, k and v are already projected:
 *
 *     p = softmax along the keys of q k^T / sqrt(size)      y = p v
 *
 *     dv = p^T dy      dp = dy v^T      ds = p (dp - sum along the keys of p dp) / sqrt(size)      dq = ds k      dk = ds^T q
 *
 * Inputs: one tensor [positions, 3 width] with q, k and v concatenated, or two, q [queries, width] and k and v [keys,
 * 2 width]; then, if `masked`, [keys] numbers, 0 for each key that is padding. The heads are consecutive in the width.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { WORKSPACE_BYTES } from '../../kernels/memory-map.js';
import { elementsOf, formatShape, type Shape } from '../shape.js';
import { type KernelOp, type OpUse, Size, WITHOUT_PARAMETERS } from './op.js';

const AttentionAttributes = v.strictObject({ heads: Size, causal: v.boolean(), masked: v.boolean() });
export type AttentionAttributes = v.InferOutput<typeof AttentionAttributes>;

type Use = Pick<OpUse<AttentionAttributes>, 'attributes' | 'inputs'>;

/** The sizes for the kernels; pitches are floats from one row to the next. */
function sizesOf({ attributes: { heads, causal, masked }, inputs }: Use) {
  const isSelf = inputs.length - (masked ? 1 : 0) === 1;
  const [queries = 0, qPitch = 0] = inputs[0];
  const [keys = 0, kPitch = 0] = isSelf ? inputs[0] : (inputs[1] as Shape);
  const width = isSelf ? qPitch / 3 : qPitch;
  const kernel = { heads, queries, keys, size: width / heads, qPitch, kPitch, causal: causal ? 1 : 0 };
  return { kernel, isSelf, width };
}

/** Byte offsets of q, k and v in the inputs, or of their error terms where these are needed (else 0). */
function partsOf(use: Use, at: readonly number[]): { q: number; k: number; v: number } {
  const { isSelf, width } = sizesOf(use);
  const [q = 0, kv = 0] = isSelf ? [at[0], (at[0] ?? 0) === 0 ? 0 : (at[0] as number) + width * 4] : at;
  return { q, k: kv, v: kv === 0 ? 0 : kv + width * 4 };
}

function checkShapes({ name, attributes, inputs }: OpUse<AttentionAttributes>): void {
  const { heads, causal, masked } = attributes;
  const fail = (fix: string): never => {
    throw new UserError(`layer ${name}: inputs of shapes ${inputs.map(formatShape).join(' and ')}: ${fix}`);
  };
  const tensors = masked ? inputs.slice(0, -1) : inputs;
  if (tensors.length === 0 || tensors.length > 2)
    fail('attention takes one tensor or two, and a mask if `masked` is set');
  if (tensors.some((shape) => shape.length !== 2)) fail('attention needs sequences, [positions, width]');
  const { kernel, isSelf, width } = sizesOf({ attributes, inputs });
  if (!Number.isInteger(width)) fail('q, k and v must have the same width');
  if (!isSelf && kernel.kPitch !== 2 * width) fail('k and v must have the width of q');
  if (!Number.isInteger(kernel.size)) fail(`a width of ${width} cannot be divided among ${heads} heads`);
  if (causal && kernel.queries !== kernel.keys)
    fail('causal attention needs the same number of queries and keys');
  if (masked && elementsOf(inputs.at(-1) as Shape) !== kernel.keys)
    fail('the mask needs one number for each key');
  const longest = Math.max(kernel.queries, kernel.keys);
  // Packed keys of one head, and the scores of sixteen queries.
  const floats = (longest + 32) * (kernel.size + 32) + 16 * longest;
  if (floats * 4 > WORKSPACE_BYTES)
    fail('too many positions for one head; use more heads or shorter sequences');
}

export const attentionOp: KernelOp<AttentionAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: AttentionAttributes,
  arity: { min: 1, max: 3 },
  shape(use) {
    checkShapes(use);
    const { kernel, width } = sizesOf(use);
    return [kernel.queries, width];
  },
  backwardReads: { inputs: true, output: false },
  // The probabilities, which the backward pass overwrites with error terms.
  saved(use) {
    const { heads, queries, keys } = sizesOf(use).kernel;
    return [heads * queries * keys];
  },
  errorTerm: 'emitted',

  forward(to, call) {
    const { rows, attributes, x, y, saved } = call;
    const mask = attributes.masked ? (x.at(-1) as number) : 0;
    const tensors = { ...partsOf(call, x), mask, probabilities: saved[0] ?? 0, out: y };
    to.emit('attentionForward', { ...tensors, rows, ...sizesOf(call).kernel });
  },

  backward(to, call) {
    const { rows, attributes, inputs, x, saved, dy, dx } = call;
    const { q: dq, k: dk, v: dv } = partsOf(call, dx);
    const tensors = { ...partsOf(call, x), probabilities: saved[0] ?? 0, dout: dy, dq, dk, dv };
    to.emit('attentionBackward', { ...tensors, rows, ...sizesOf(call).kernel });
    const dmask = attributes.masked ? (dx.at(-1) as number) : 0;
    // A step function of the mask: its derivative is 0 almost everywhere.
    if (dmask !== 0) to.emit('fill', { out: dmask, n: rows * elementsOf(inputs.at(-1) as Shape), value: 0 });
  },
};
