/*
 * rotary positions (Su et al., "RoFormer", 2021), of each head of `size` elements, whose halves are the parts of complex numbers:
 *
 *     y1 = x1 cos(t f_j) - x2 sin(t f_j)      y2 = x2 cos(t f_j) + x1 sin(t f_j)      f_j = base^(-2j / size)
 *     dx: the rotation back
 *
 * t is the position, or the number that a second input has for it. Inputs: [positions, heads * size]; then, if there is one,
 * [positions] numbers, which have no error term.
 */
import * as v from 'valibot';
import { exponential } from '../../arithmetic/exponential.js';
import { naturalLogarithm } from '../../arithmetic/logarithm.js';
import { UserError } from '../../errors.js';
import { formatShape } from '../shape.js';
import { type KernelOp, type KernelSink, type OpCall, Size, WITHOUT_PARAMETERS } from './op.js';

const RotaryAttributes = v.strictObject({
  heads: Size,
  base: v.pipe(v.number(), v.finite(), v.gtValue(1)),
});
export type RotaryAttributes = v.InferOutput<typeof RotaryAttributes>;

type Call = Pick<OpCall<RotaryAttributes, never>, 'rows' | 'inputs' | 'attributes' | 'saved'>;

/** The sizes of a range, and the byte offsets of what is saved for it. */
function layoutOf({ rows, inputs: [input], attributes: { heads }, saved }: Call) {
  const [positions = 0, width = 0] = input;
  const half = width / heads / 2;
  const [cosines = 0, sines = 0, first = 0, second = 0, product = 0] = saved;
  const n = rows * positions * heads * half;
  return { positions, half, n, cosines, sines, first, second, product };
}

/** The halves of all heads, apart. */
function emitHalves(to: KernelSink, call: Call, from: number): void {
  const { n, half, first, second } = layoutOf(call);
  const size = { rows: n / half, width: half, aPitch: 2 * half, outPitch: half };
  to.emit('copyRows', { a: from, out: first, ...size });
  to.emit('copyRows', { a: from + half * 4, out: second, ...size });
}

/** out = the halves, turned by the angles, or back. */
function emitTurn(to: KernelSink, call: Call, out: number, isBack: boolean): void {
  const { n, half, cosines, sines, first, second, product } = layoutOf(call);
  const size = { rows: n / half, width: half, aPitch: half, outPitch: 2 * half };
  const turn = (own: number, other: number, at: number, isMinus: boolean): void => {
    to.emit('multiplyVectors', { out: at, a: other, b: sines, n });
    const cross = at + n * 4;
    to.emit('multiplyVectors', { out: cross, a: own, b: cosines, n });
    to.emit(isMinus ? 'subtractVectors' : 'addVectors', { out: at, a: cross, b: at, n });
  };
  turn(first, second, product, !isBack);
  to.emit('copyRows', { a: product, out, ...size });
  turn(second, first, product, isBack);
  to.emit('copyRows', { a: product, out: out + half * 4, ...size });
}

export const rotaryOp: KernelOp<RotaryAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: RotaryAttributes,
  arity: { min: 1, max: 2 },
  shape({ name, inputs: [input, at], attributes: { heads } }) {
    const [positions, width = 0] = input;
    if (input.length !== 2 || !Number.isInteger(width / heads / 2))
      throw new UserError(
        `layer ${name}: an input of shape ${formatShape(input)}: rotary positions need [positions, width], and an even number of ` +
          `elements for each of ${heads} heads`,
      );
    if (at !== undefined && (at.length !== 1 || at[0] !== positions))
      throw new UserError(
        `layer ${name}: ${formatShape(at)} is not a number for each of ${positions} positions`,
      );
    return input;
  },
  backwardReads: { inputs: false, output: false },
  // Cosines, sines, the two halves, and products.
  saved({ inputs: [[positions = 0, width = 0]] }) {
    const half = (positions * width) / 2;
    return [half, half, half, half, 2 * half];
  },
  errorTerm: 'emitted',

  forward(to, call) {
    const { rows, inputs, attributes } = call;
    const { heads, base } = attributes;
    const { positions, half, cosines, sines, first, second } = layoutOf(call);
    const count = rows * positions;
    let at = call.x[1];
    if (inputs.length === 1) {
      at = first;
      for (let t = 0; t < positions; t++) to.emit('fill', { out: second + t * 4, n: 1, value: t });
      to.emit('repeatRows', { a: second, out: first, rows: 1, times: rows, width: positions });
    }
    // Angles [half, count], then [count, half], then for each head.
    for (let j = 0; j < half; j++) {
      const factor = Math.fround(exponential((-naturalLogarithm(base) * j) / half));
      to.emit('affineVector', { out: second + j * count * 4, a: at as number, n: count, factor, summand: 0 });
    }
    const sizes = { size0: 1, size1: 1, size2: 1, size3: count, size4: half };
    const steps = { step0: 1, step1: 1, step2: 1, step3: 1, step4: count };
    to.emit('permuteAxes', { a: second, out: first, ...sizes, ...steps });
    for (const [kernel, out] of [
      ['cosine', cosines],
      ['sine', sines],
    ] as const) {
      to.emit(kernel, { out: second, a: first, n: count * half });
      to.emit('repeatRows', { a: second, out, rows: count, times: heads, width: half });
    }
    emitHalves(to, call, call.x[0]);
    emitTurn(to, call, call.y, false);
  },

  backward(to, call) {
    const [dx, dAt = 0] = call.dx;
    if (dAt !== 0) to.emit('fill', { out: dAt, n: call.rows * layoutOf(call).positions, value: 0 });
    if (dx === 0) return;
    emitHalves(to, call, call.dy);
    emitTurn(to, call, dx, true);
  },
};
