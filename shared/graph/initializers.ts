/*
 * Initialisers: how parameters are drawn at the start of a run. The fan-in (fan-out) is the number of inputs (outputs) that
 * are connected to one output (input).
 *
 *     glorotUniform   uniform in +-sqrt(6 / (fanIn + fanOut))       glorotNormal   normal, deviation sqrt(2 / (fanIn + fanOut))
 *     heUniform       uniform in +-sqrt(6 / fanIn)                  heNormal       normal, deviation sqrt(2 / fanIn)
 *     smallNormal     normal, deviation 0.02, as in GPT-2
 *     truncatedNormal  normal, deviation 0.05, drawn again while it is beyond two deviations
 *     orthogonal       rows or columns, whichever are fewer, orthogonal and of length 1
 *     forgetGateOnes   for the bias of an LSTM: ones in the second of its four quarters, else zeros
 *
 * Glorot, Bengio: "Understanding the difficulty of training deep feedforward neural networks" (2010); He et al.:
 * "Delving deep into rectifiers" (2015); Saxe et al.: "Exact solutions to the nonlinear dynamics of learning" (2013). All
 * arithmetic is done by kernels, so every machine draws the same bits.
 */
import { keyOf } from './keys.js';
import type { KernelSink } from './ops/op.js';
import { elementsOf, type Shape } from './shape.js';

export const INITIALIZER_NAMES = [
  'forgetGateOnes',
  'glorotNormal',
  'glorotUniform',
  'heNormal',
  'heUniform',
  'ones',
  'orthogonal',
  'smallNormal',
  'truncatedNormal',
  'zeros',
] as const;

export type InitializerName = (typeof INITIALIZER_NAMES)[number];

/** An initialiser in a model, as data. */
export interface Initializer {
  readonly kind: InitializerName;
}

/** One parameter to draw. Offsets are bytes. */
export interface Draw {
  readonly name: string;
  readonly shape: Shape;
  readonly out: number;
  /** As many floats as the parameter has, which are overwritten. */
  readonly scratch: number;
  /** The seed of the run, an integer in [0, 2^53). */
  readonly seed: number;
}

const EMITTERS: { readonly [N in InitializerName]: (to: KernelSink, draw: Draw) => void } = {
  forgetGateOnes: emitForgetGate,
  glorotNormal: (to, draw) => emitNormal(to, draw, 2 / (fansOf(draw.shape).in + fansOf(draw.shape).out)),
  glorotUniform: (to, draw) => emitUniform(to, draw, 6 / (fansOf(draw.shape).in + fansOf(draw.shape).out)),
  heNormal: (to, draw) => emitNormal(to, draw, 2 / fansOf(draw.shape).in),
  heUniform: (to, draw) => emitUniform(to, draw, 6 / fansOf(draw.shape).in),
  smallNormal: (to, draw) => emitNormal(to, draw, 0.0004),
  orthogonal: emitOrthogonal,
  truncatedNormal: emitTruncatedNormal,
  ones: (to, { out, shape }) => to.emit('fill', { out, n: elementsOf(shape), value: 1 }),
  zeros: (to, { out, shape }) => to.emit('fill', { out, n: elementsOf(shape), value: 0 }),
};

/** Emits the kernel calls that draw a parameter. The values depend only on the seed and the name of the parameter. */
export function emitDraw(to: KernelSink, initializer: Initializer, draw: Draw): void {
  EMITTERS[initializer.kind](to, draw);
}

/**
 * Fan-in and fan-out as in Keras: the last two axes are inputs and outputs, the axes before them a receptive field. For a
 * vector both are its length, for a single number 1.
 */
export function fansOf(shape: Shape): { in: number; out: number } {
  const [inputs = 1, outputs = inputs] = shape.slice(-2);
  const field = elementsOf(shape.slice(0, -2));
  return { in: inputs * field, out: outputs * field };
}

function emitUniform(to: KernelSink, draw: Draw, squaredLimit: number): void {
  const { key0, key1 } = keyOf('initial', draw.seed, draw.name);
  to.emit('randomUniform', { out: draw.out, n: elementsOf(draw.shape), key0, key1, low: -1, high: 1 });
  emitScale(to, draw, squaredLimit);
}

function emitNormal(to: KernelSink, draw: Draw, variance: number): void {
  const { key0, key1 } = keyOf('initial', draw.seed, draw.name);
  to.emit('randomNormal', { out: draw.out, n: elementsOf(draw.shape), key0, key1, mean: 0, deviation: 1 });
  emitScale(to, draw, variance);
}

function emitTruncatedNormal(to: KernelSink, draw: Draw): void {
  const { key0, key1 } = keyOf('initial', draw.seed, draw.name);
  const n = elementsOf(draw.shape);
  to.emit('randomTruncatedNormal', { out: draw.out, n, key0, key1, mean: 0, deviation: 0.05 });
}

/** Normal vectors have uniformly distributed directions, and making them orthogonal one after the other preserves this. */
function emitOrthogonal(to: KernelSink, { name, shape, out, scratch, seed }: Draw): void {
  const { key0, key1 } = keyOf('initial', seed, name);
  const n = elementsOf(shape);
  const { in: rows } = fansOf(shape);
  const cols = n / rows;
  const isWide = rows <= cols;
  const a = isWide ? out : scratch;
  to.emit('randomNormal', { out: a, n, key0, key1, mean: 0, deviation: 1 });
  to.emit('orthonormalRows', { a, count: Math.min(rows, cols), length: Math.max(rows, cols) });
  if (isWide) return;
  const sizes = { size0: 1, size1: 1, size2: 1, size3: rows, size4: cols };
  const steps = { step0: 0, step1: 0, step2: 0, step3: 1, step4: rows };
  to.emit('permuteAxes', { a, out, ...sizes, ...steps });
}

function emitForgetGate(to: KernelSink, { out, shape }: Draw): void {
  const units = elementsOf(shape) / 4;
  to.emit('fill', { out, n: 4 * units, value: 0 });
  to.emit('fill', { out: out + units * 4, n: units, value: 1 });
}

/** Multiplies by the square root of `square`, computed by a kernel: JavaScript does not guarantee its last bit. */
function emitScale(to: KernelSink, { out, scratch, shape }: Draw, square: number): void {
  const n = elementsOf(shape);
  to.emit('fill', { out: scratch, n, value: square });
  to.emit('squareRoot', { out: scratch, a: scratch, n });
  to.emit('multiplyVectors', { out, a: out, b: scratch, n });
}
