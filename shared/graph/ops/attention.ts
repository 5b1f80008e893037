/*
 * attention (Vaswani et al. 2017), for each head of `size` elements, with q, k and v projected already:
 *
 *     p = softmax along the keys of q k^T / sqrt(size)      y = p v
 *
 *     dv = p^T dy      dp = dy v^T      ds = p (dp - sum along the keys of p dp) / sqrt(size)      dq = ds k      dk = ds^T q
 *
 * Inputs: one tensor [positions, 3 width] that holds q, k and v side by side, or two, q [queries, width] and
 * [keys, 2 width]; then, if `masked`, [keys] numbers, 0 for each key that is padding. Heads lie side by side in the width.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { WORKSPACE_BYTES } from '../../kernels/memory-map.js';
import { elementsOf, formatShape, type Shape } from '../shape.js';
import { type KernelOp, type OpUse, Size, WITHOUT_PARAMETERS } from './op.js';

const AttentionAttributes = v.strictObject({ heads: Size, causal: v.boolean(), masked: v.boolean() });
export type AttentionAttributes = v.InferOutput<typeof AttentionAttributes>;

type Use = Pick<OpUse<AttentionAttributes>, 'attributes' | 'inputs'>;

/** What the kernels are told of the shapes; pitches in floats from one row to the next. */
function sizesOf({ attributes: { heads, causal, masked }, inputs }: Use) {
  const isSelf = inputs.length - (masked ? 1 : 0) === 1;
  const [queries = 0, qPitch = 0] = inputs[0];
  const [keys = 0, kPitch = 0] = isSelf ? inputs[0] : (inputs[1] as Shape);
  const width = isSelf ? qPitch / 3 : qPitch;
  const kernel = { heads, queries, keys, size: width / heads, qPitch, kPitch, causal: causal ? 1 : 0 };
  return { kernel, isSelf, width };
}

/** Byte offsets of q, k and v in the inputs, or of their error terms where they are wanted (else 0). */
function partsOf(use: Use, at: readonly number[]): { q: number; k: number; v: number } {
  const { isSelf, width } = sizesOf(use);
  const [q = 0, kv = 0] = isSelf ? [at[0], (at[0] ?? 0) === 0 ? 0 : (at[0] as number) + width * 4] : at;
  return { q, k: kv, v: kv === 0 ? 0 : kv + width * 4 };
}

function checkShapes({ name, attributes, inputs }: OpUse<AttentionAttributes>): void {
  const { heads, causal, masked } = attributes;
  const fail = (mend: string): never => {
    throw new UserError(`layer ${name}: inputs of shapes ${inputs.map(formatShape).join(' and ')}: ${mend}`);
  };
  const tensors = masked ? inputs.slice(0, -1) : inputs;
  if (tensors.length === 0 || tensors.length > 2)
    fail('attention takes one tensor or two, and a mask if it says so');
  if (tensors.some((shape) => shape.length !== 2)) fail('attention needs sequences, [positions, width]');
  const { kernel, isSelf, width } = sizesOf({ attributes, inputs });
  if (!Number.isInteger(width)) fail('q, k and v need one width');
  if (!isSelf && kernel.kPitch !== 2 * width) fail('k and v need the width of q');
  if (!Number.isInteger(kernel.size)) fail(`a width of ${width} cannot be shared by ${heads} heads`);
  if (causal && kernel.queries !== kernel.keys) fail('a causal mask needs as many queries as keys');
  if (masked && elementsOf(inputs.at(-1) as Shape) !== kernel.keys)
    fail('the mask needs one number for each key');
  const longest = Math.max(kernel.queries, kernel.keys);
  // A copy of one head's keys in panels, and sixteen queries' scores.
  const floats = (longest + 32) * (kernel.size + 32) + 16 * longest;
  if (floats * 4 > WORKSPACE_BYTES)
    fail('too many positions for one head; take more heads, or shorter sequences');
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
  // The probabilities, over which the backward pass writes their error terms.
  saved(use) {
    const { heads, queries, keys } = sizesOf(use).kernel;
    return [heads * queries * keys];
  },
  errorTerm: 'emitted',

  forward(to, call) {
    const { rows, attributes, x, y, saved } = call;
    const mask = attributes.masked ? (x.at(-1) as number) : 0;
    const place = { ...partsOf(call, x), mask, probabilities: saved[0] ?? 0, out: y };
    to.emit('attentionForward', { ...place, rows, ...sizesOf(call).kernel });
  },

  backward(to, call) {
    const { rows, attributes, inputs, x, saved, dy, dx } = call;
    const terms = partsOf(call, dx);
    const into = { dq: terms.q, dk: terms.k, dv: terms.v };
    const place = { ...partsOf(call, x), probabilities: saved[0] ?? 0, dout: dy, ...into };
    to.emit('attentionBackward', { ...place, rows, ...sizesOf(call).kernel });
    const ofMask = attributes.masked ? (dx.at(-1) as number) : 0;
    // A step function of the mask, flat almost everywhere.
    if (ofMask !== 0)
      to.emit('fill', { out: ofMask, n: rows * elementsOf(inputs.at(-1) as Shape), value: 0 });
  },
};
