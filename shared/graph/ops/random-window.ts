/*
 * Windows of images [height, width, channels] whose place is drawn for each sample and step:
 *
 *     randomShift   y[i, j] = x[i + a, j + b], |a| and |b| within bounds, then perhaps flipped; training only
 *     randomCrop    y[i, j] = x[i + a, j + b], a window inside of the image; its middle in evaluation and prediction
 *
 *     dx[k, l] = sum of dy over the places of the window that show (k, l)
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape } from '../shape.js';
import { chanceOf } from './chance.js';
import { imageOf } from './image.js';
import { type KernelOp, type KernelSink, type OpCall, Size, WITHOUT_PARAMETERS } from './op.js';

const Pixels = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 16));

const RandomShiftAttributes = v.strictObject({
  /** Most pixels down or up, and to either side. */
  shift: v.strictTuple([Pixels, Pixels]),
  /** Whether half of the samples are turned left to right, and half upside down. */
  flips: v.strictTuple([v.boolean(), v.boolean()]),
  /** What lies beyond the border. */
  fillMode: v.picklist(['constant', 'reflect']),
});
export type RandomShiftAttributes = v.InferOutput<typeof RandomShiftAttributes>;

const RandomCropAttributes = v.strictObject({ size: v.strictTuple([Size, Size]) });
export type RandomCropAttributes = v.InferOutput<typeof RandomCropAttributes>;

/** Where windows may lie: the upper left corner is one of `spans` places from `corner` on. */
interface Choice {
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
    emitForward(to, call, shiftChoice(call.attributes), chanceOf('randomShift', call));
  },
  backward(to, call) {
    emitBackward(to, call, shiftChoice(call.attributes), chanceOf('randomShift', call));
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
      `layer ${name}: no ${size[0]} x ${size[1]} window fits into an image of shape ${formatShape(shape)}; make it smaller`,
    );
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, call) {
    if (call.training === undefined) emitForward(to, call, middle(call), { ...NO_CHANCE, rows: call.rows });
    else emitForward(to, call, cropChoice(call), chanceOf('randomCrop', call));
  },
  backward(to, call) {
    emitBackward(to, call, cropChoice(call), chanceOf('randomCrop', call));
  },
};

/** Outside of training nothing is drawn: there is but one place to choose. */
const NO_CHANCE = { cursor: 0, first: 0, key0: 0, key1: 0 };

type Chance = ReturnType<typeof chanceOf>;

function shiftChoice({ shift: [down, right], flips, fillMode }: RandomShiftAttributes): Choice {
  return {
    corner: [-down, -right],
    spans: [2 * down + 1, 2 * right + 1],
    flips: (flips[0] ? 1 : 0) + (flips[1] ? 2 : 0),
    fill: fillMode === 'reflect' ? 1 : 0,
  };
}

/** Windows never reach beyond the border, so it does not matter what is there. */
function cropChoice({ inputs: [shape], attributes: { size } }: OpCall<RandomCropAttributes, never>): Choice {
  const [height = 0, width = 0] = shape;
  return { corner: [0, 0], spans: [height - size[0] + 1, width - size[1] + 1], flips: 0, fill: 0 };
}

function middle(call: OpCall<RandomCropAttributes, never>): Choice {
  const { spans, ...rest } = cropChoice(call);
  const corner = spans.map((span) => Math.floor((span - 1) / 2)) as [number, number];
  return { ...rest, corner, spans: [1, 1] };
}

function emitForward(to: KernelSink, call: OpCall<unknown, never>, choice: Choice, chance: Chance): void {
  to.emit('windowForward', { x: call.x[0], y: call.y, ...chance, ...placesOf(call, choice) });
}

function emitBackward(
  to: KernelSink,
  call: OpCall<unknown, never> & { readonly dy: number; readonly dx: readonly [number, ...number[]] },
  choice: Choice,
  chance: Chance,
): void {
  to.emit('windowBackward', { dy: call.dy, dx: call.dx[0], ...chance, ...placesOf(call, choice) });
}

function placesOf({ inputs: [shape], output }: OpCall<unknown, never>, choice: Choice) {
  const [height = 0, width = 0, channels = 0] = shape;
  const [outHeight = 0, outWidth = 0] = output;
  const { corner, spans, flips, fill } = choice;
  const sizes = { height, width, channels, outHeight, outWidth };
  return { ...sizes, top: corner[0], left: corner[1], topSpan: spans[0], leftSpan: spans[1], flips, fill };
}
