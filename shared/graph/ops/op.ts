/*
 * What an op is: a mapping, and the transposed Jacobian of that mapping.
 *
 *     y = f(x, W)      dx = (df/dx)^T dy      dW = (df/dW)^T dy, summed over the samples by the canonical tree
 *
 * x, y and their error terms dx, dy are ROW TENSORS: one row of `elements` floats for each sample that is at hand. An op
 * neither allocates nor computes: it writes kernel calls with byte offsets that the plan has fixed. It never sees
 * which other workers there are, and must not let the samples of a batch touch each other but for those of a `group`.
 */
import * as v from 'valibot';
import type { Tape } from '../../kernels/tape.js';
import type { Shape } from '../shape.js';

/** Where kernel calls go: a tape, or something that stands before one. */
export type KernelSink = Pick<Tape, 'emit'>;

/** An op's use in a model, as far as shapes go. */
export interface OpUse<A> {
  /** The layer's name, for errors. */
  readonly name: string;
  readonly attributes: A;
  /** Shapes of the inputs, as many as `arity` allows. */
  readonly inputs: readonly [Shape, ...Shape[]];
}

/**
 * What random numbers of a training step are drawn with, and nothing else may be: the key belongs to the seed and the node,
 * the counter to the step and the sample, so that no worker, thread or leaf shows (shared/kernels/c/chance.h).
 */
export interface TrainingPlace {
  /** The run's seed; see keyOf. */
  readonly seed: number;
  /** The node's name. */
  readonly name: string;
  /** Byte offset of DataPlacement.cursor. */
  readonly cursor: number;
  /** Position in the batch of the call's first row. */
  readonly first: number;
}

/** What every kernel-emitting call is told. Offsets are bytes. */
export interface OpCall<A, R extends string> {
  readonly rows: number;
  readonly attributes: A;
  /** Shapes of x, one each, and of y. */
  readonly inputs: readonly [Shape, ...Shape[]];
  readonly output: Shape;
  /** Parameters by role; 0 where the node has none. */
  readonly weights: Readonly<Record<R, number>>;
  /** Inputs [rows, ...inputs[i]]. Valid in backward calls only if `backwardReads.inputs`, else 0. */
  readonly x: readonly [number, ...number[]];
  /** Output [rows, ...output]. Valid in backward calls only if `backwardReads.output`, else 0. */
  readonly y: number;
  /** What the op keeps beside y: [rows, floats] for each number that `saved` gives. */
  readonly saved: readonly number[];
  /** Undefined when the model is evaluated or predicts. */
  readonly training: TrainingPlace | undefined;
}

/** To write the error terms of the inputs. */
export interface BackwardCall<A, R extends string> extends OpCall<A, R> {
  /** Error term of the output, [rows, ...output]. */
  readonly dy: number;
  /** Where the error terms of the inputs go, [rows, ...inputs[i]]; 0 where none is wanted. */
  readonly dx: readonly [number, ...number[]];
}

/** To write parameter gradients over the rows of ONE subtree of the canonical sum. */
export interface GradientCall<A, R extends string> extends OpCall<A, R> {
  readonly dy: number;
  /** The first of the rows, counted from the job's first. */
  readonly row: number;
  /** Samples of the global batch. */
  readonly batch: number;
  /** Rows of a leaf, counted in samples. */
  readonly leafRows: number;
  /** Where each parameter's gradient goes; 0 where it is not wanted. */
  readonly gradients: Readonly<Record<R, number>>;
}

interface AnyKindOfOp<A> {
  /** Checks attributes that came from outside. */
  readonly attributes: v.GenericSchema<unknown, A>;
  /** How many inputs it takes. */
  readonly arity: { readonly min: number; readonly max: number };
  /**
   * The shape rule.
   * @throws UserError that names the layer and the shapes when the inputs do not fit
   */
  shape(use: OpUse<A>): Shape;
}

/** The same elements under another shape: no arithmetic, no memory of its own. */
export interface ViewOp<A> extends AnyKindOfOp<A> {
  readonly kind: 'view';
}

/** An op that computes. */
export interface KernelOp<A, R extends string = never> extends AnyKindOfOp<A> {
  readonly kind: 'kernel';
  /** Every role that a parameter can have here. */
  readonly roles: readonly R[];
  /** Shapes of the parameters of a use; roles that this use does without are left out. */
  parameters(use: OpUse<A>): Readonly<Partial<Record<R, Shape>>>;
  /**
   * Roles of parameters that are not trained but follow a value: each step leaves `momentum` of them and takes the rest from
   * what parameterGradients gives in place of a gradient. Such a parameter has one use.
   */
  readonly averages?: { readonly roles: readonly R[]; momentum(attributes: A): number };
  /**
   * Samples that touch each other in training: rows of a job begin at a multiple of it, counted from the batch's first, and
   * end at one or with the batch. Left out: they do not.
   */
  readonly group?: (attributes: A) => number;
  /** Row tensors of the forward pass that backward and parameterGradients read: the plan keeps these, and no others. */
  readonly backwardReads: { readonly inputs: boolean; readonly output: boolean };
  /**
   * Floats of a row of each tensor that forward writes for the backward pass beside y; left out where there is none.
   * Backward may write over them.
   */
  readonly saved?: (use: OpUse<A>) => readonly number[];
  /** That parameterGradients read what backward leaves in `saved`: it is called then even if no dx is wanted. */
  readonly gradientsFollowBackward?: boolean;
  /** That it passes its one input on as it is unless it is trained: elsewhere it is but another name for that. */
  readonly trainingOnly?: boolean;
  /**
   * How the error term reaches the inputs: `emitted` by backward; `replaced`, the same, and dx[0] may lie where dy lies;
   * `passed`, each input's error term is the output's.
   */
  readonly errorTerm: 'emitted' | 'replaced' | 'passed';
  forward(to: KernelSink, call: OpCall<A, R>): void;
  /** Not called when the error term is `passed`, or wanted for no input (but see gradientsFollowBackward). */
  backward(to: KernelSink, call: BackwardCall<A, R>): void;
  /** Called once for every parameter and subtree, with one gradient wanted. */
  parameterGradients(to: KernelSink, call: GradientCall<A, R>): void;
}

export type Op<A, R extends string = never> = ViewOp<A> | KernelOp<A, R>;

/** The attributes of an op that has none. */
export const NoAttributes = v.strictObject({});
export type NoAttributes = v.InferOutput<typeof NoAttributes>;

/** One size of a shape, or a number of units. */
export const Size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 28));

/** What all ops without parameters have in common. */
export const WITHOUT_PARAMETERS = {
  kind: 'kernel',
  roles: [],
  parameters: () => ({}),
  parameterGradients: () => {},
} as const;

/** What all ops on each element of one input have in common whose derivative is a function of y. */
export const ELEMENTWISE_OF_OUTPUT = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs }: OpUse<NoAttributes>) => inputs[0],
  backwardReads: { inputs: false, output: true },
  errorTerm: 'replaced',
} as const;

/** What all ops on each element of one input have in common whose derivative is a function of x. */
export const ELEMENTWISE_OF_INPUT = {
  ...WITHOUT_PARAMETERS,
  arity: { min: 1, max: 1 },
  shape: ({ inputs }: OpUse<unknown>) => inputs[0],
  backwardReads: { inputs: true, output: false },
  errorTerm: 'replaced',
} as const;
