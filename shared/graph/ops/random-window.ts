/*
 * Windows of images [height, width, channels] whose position is drawn for each sample and step:
 *
 *     randomShift   y[i, j] = x[i + a, j + b], |a| and |b| within bounds, then perhaps flipped; training only
 *     randomCrop    y[i, j] = x[i + a, j + b], a window inside of the image; the middle one in evaluation and prediction
 *
 *     dx[k, l] = sum of dy over the pixels of the window that are copies of (k, l)
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape } from '../shape.js';
import { imageOf } from './image.js';
import { type KernelOp, type KernelSink, type OpCall, Size, WITHOUT_PARAMETERS } from './op.js';
import { randomStreamOf } from './random-stream.js';

const Pixels = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 16));

const RandomShiftAttributes = v.strictObject({
  /** Largest shift in pixels, vertical and horizontal. */
  shift: v.strictTuple([Pixels, Pixels]),
  /** Whether half of the samples are flipped left to right, and half upside down. */
  flips: v.strictTuple([v.boolean(), v.boolean()]),
  /** What lies beyond the border. */
  fillMode: v.picklist(['constant', 'reflect']),
});
export type RandomShiftAttributes = v.InferOutput<typeof RandomShiftAttributes>;

const RandomCropAttributes = v.strictObject({ size: v.strictTuple([Size, Size]) });
export type RandomCropAttributes = v.InferOutput<typeof RandomCropAttributes>;

/** The possible windows: the upper left corner is one of `spans` positions from `corner` on. */
interface WindowRange {
  readonly corner: readonly [number, number];
  readonly spans: readonly [number, number];
  readonly flips: number;
  readonly fill: number;
}

export const randomShiftOp: KernelOp<RandomShiftAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: RandomShiftAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [shape] }) {
    imageOf(name, shape);
    return shape;
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  trainingOnly: true,
  forward(to, call) {
    emitForward(to, call, shiftRange(call.attributes), randomStreamOf('randomShift', call));
  },
  backward(to, call) {
    emitBackward(to, call, shiftRange(call.attributes), randomStreamOf('randomShift', call));
  },
};

export const randomCropOp: KernelOp<RandomCropAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: RandomCropAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [shape], attributes: { size } }) {
    const image = imageOf(name, shape);
    if (size[0] <= image.size[0] && size[1] <= image.size[1]) return [...size, image.channels];
    throw new UserError(
      `layer ${name}: a ${size[0]} x ${size[1]} window does not fit into an image of shape ${formatShape(shape)}; make it smaller`,
    );
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, call) {
    if (call.training === undefined)
      emitForward(to, call, middleWindow(call), { ...NO_RANDOM_STREAM, rows: call.rows });
    else emitForward(to, call, cropRange(call), randomStreamOf('randomCrop', call));
  },
  backward(to, call) {
    emitBackward(to, call, cropRange(call), randomStreamOf('randomCrop', call));
  },
};

/** Outside of training nothing is drawn: there is only one possible window. */
const NO_RANDOM_STREAM = { cursor: 0, first: 0, key0: 0, key1: 0 };

type RandomStream = ReturnType<typeof randomStreamOf>;

function shiftRange({ shift: [down, right], flips, fillMode }: RandomShiftAttributes): WindowRange {
  return {
    corner: [-down, -right],
    spans: [2 * down + 1, 2 * right + 1],
    flips: (flips[0] ? 1 : 0) + (flips[1] ? 2 : 0),
    fill: fillMode === 'reflect' ? 1 : 0,
  };
}

/** Windows stay inside of the image, so `fill` has no effect. */
function cropRange({
  inputs: [shape],
  attributes: { size },
}: OpCall<RandomCropAttributes, never>): WindowRange {
  const [height = 0, width = 0] = shape;
  return { corner: [0, 0], spans: [height - size[0] + 1, width - size[1] + 1], flips: 0, fill: 0 };
}

function middleWindow(call: OpCall<RandomCropAttributes, never>): WindowRange {
  const { spans, ...rest } = cropRange(call);
  const corner = spans.map((span) => Math.floor((span - 1) / 2)) as [number, number];
  return { ...rest, corner, spans: [1, 1] };
}

function emitForward(
  to: KernelSink,
  call: OpCall<unknown, never>,
  range: WindowRange,
  randomStream: RandomStream,
): void {
  to.emit('windowForward', { x: call.x[0], y: call.y, ...randomStream, ...windowOf(call, range) });
}

function emitBackward(
  to: KernelSink,
  call: OpCall<unknown, never> & { readonly dy: number; readonly dx: readonly [number, ...number[]] },
  range: WindowRange,
  randomStream: RandomStream,
): void {
  to.emit('windowBackward', { dy: call.dy, dx: call.dx[0], ...randomStream, ...windowOf(call, range) });
}

function windowOf({ inputs: [shape], output }: OpCall<unknown, never>, range: WindowRange) {
  const [height = 0, width = 0, channels = 0] = shape;
  const [outHeight = 0, outWidth = 0] = output;
  const { corner, spans, flips, fill } = range;
  const sizes = { height, width, channels, outHeight, outWidth };
  return { ...sizes, top: corner[0], left: corner[1], topSpan: spans[0], leftSpan: spans[1], flips, fill };
}
