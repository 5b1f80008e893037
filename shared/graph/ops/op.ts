/*
 * The interface of ops. An op is a mapping, and the transposed Jacobian of that mapping.
 *
 *     y = f(x, W)      dx = (df/dx)^T dy      dW = (df/dW)^T dy, summed over the samples by the canonical tree
 *
 * x, y and their error terms dx, dy are ROW TENSORS: one row of `elements` floats for each sample of a range. An op neither
 * allocates nor computes: it emits kernel calls with byte offsets that the plan has assigned. It does not depend on other
 * workers, and the samples of a batch must be independent, except for those of a `group`.
 */
import * as v from 'valibot';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import type { Shape } from '../shape.js';

/** Receives kernel calls: a command buffer, or a wrapper of one. */
export type KernelSink = Pick<CommandBuffer, 'emit'>;

/** The use of an op in a model, for shape rules. */
export interface OpUse<A> {
  /** The name of the layer, for errors. */
  readonly name: string;
  readonly attributes: A;
  /** Shapes of the inputs; their number is within `arity`. */
  readonly inputs: readonly [Shape, ...Shape[]];
}

/**
 * The inputs of random numbers in training; ops must not draw them from anything else. The key depends on the seed and the
 * node, the counter on the step and the sample, so that the numbers do not depend on workers, threads or leaves
 * (shared/kernels/c/random-stream.h).
 */
export interface RandomSource {
  /** The seed of the run; see keyOf. */
  readonly seed: number;
  /** The name of the node. */
  readonly name: string;
  /** Byte offset of DataPlacement.cursor. */
  readonly cursor: number;
  /** Position in the batch of the first row of the call. */
  readonly first: number;
}

/** Arguments of all kernel-emitting functions. Offsets are bytes. */
export interface OpCall<A, R extends string> {
  readonly rows: number;
  readonly attributes: A;
  /** Shapes of all x, and of y. */
  readonly inputs: readonly [Shape, ...Shape[]];
  readonly output: Shape;
  /** Offsets of parameters by role; 0 where the node has none. */
  readonly weights: Readonly<Record<R, number>>;
  /** Inputs [rows, ...inputs[i]]. Valid in backward calls only if `backwardReads.inputs`, else 0. */
  readonly x: readonly [number, ...number[]];
  /** Output [rows, ...output]. Valid in backward calls only if `backwardReads.output`, else 0. */
  readonly y: number;
  /** The tensors that the op saves: [rows, floats] for each number of `saved`. */
  readonly saved: readonly number[];
  /** Undefined in evaluation and prediction. */
  readonly training: RandomSource | undefined;
}

/** Arguments for computing the error terms of the inputs. */
export interface BackwardCall<A, R extends string> extends OpCall<A, R> {
  /** Error term of the output, [rows, ...output]. */
  readonly dy: number;
  /** Output: the error terms of the inputs, [rows, ...inputs[i]]; 0 for those that are not needed. */
  readonly dx: readonly [number, ...number[]];
}

/** Arguments for computing parameter gradients over the rows of ONE subtree of the canonical sum. */
export interface GradientCall<A, R extends string> extends OpCall<A, R> {
  readonly dy: number;
  /** The first row, counted from the first row of the range. */
  readonly row: number;
  /** Samples of the global batch. */
  readonly batch: number;
  /** Rows of a leaf, counted in samples. */
  readonly leafRows: number;
  /** Output: the gradient of each parameter by role; 0 for those that are not needed. */
  readonly gradients: Readonly<Record<R, number>>;
}

interface AnyKindOfOp<A> {
  /** Checks attributes from outside. */
  readonly attributes: v.GenericSchema<unknown, A>;
  /** The number of inputs. */
  readonly arity: { readonly min: number; readonly max: number };
  /**
   * The shape rule.
   * @throws UserError that names the layer and the shapes when the inputs do not fit
   */
  shape(use: OpUse<A>): Shape;
}

/** The same elements with another shape: no arithmetic and no memory. */
export interface ViewOp<A> extends AnyKindOfOp<A> {
  readonly kind: 'view';
}

/** Numbers for which an op is defined. */
export interface Domain {
  has(x: number): boolean;
  /** In words, such as "numbers above 0". */
  readonly text: string;
}

/** An op that computes. */
export interface KernelOp<A, R extends string = never> extends AnyKindOfOp<A> {
  readonly kind: 'kernel';
  /** All roles of parameters of this op. */
  readonly roles: readonly R[];
  /** Shapes of the parameters of a use, without the roles that this use does not need. */
  parameters(use: OpUse<A>): Readonly<Partial<Record<R, Shape>>>;
  /**
   * Roles of parameters that are moving averages, not trained: each step keeps the share `momentum` of the old value and takes
   * the rest from what parameterGradients computes in place of a gradient. Such a parameter has one use.
   */
  readonly averages?: { readonly roles: readonly R[]; momentum(attributes: A): number };
  /**
   * Number of samples that depend on each other in training: a range of rows starts at a multiple of it, counted from the first
   * row of the batch, and ends at a multiple or with the batch. Default: samples are independent.
   */
  readonly group?: (attributes: A) => number;
  /** Row tensors of the forward pass that backward and parameterGradients read: the plan keeps only these. */
  readonly backwardReads: { readonly inputs: boolean; readonly output: boolean };
  /**
   * Floats of a row of each tensor that forward saves for the backward pass in addition to y. Default: none. Backward may overwrite
   * them.
   */
  readonly saved?: (use: OpUse<A>) => readonly number[];
  /** Whether parameterGradients reads what backward writes to `saved`: backward is then called even if no dx is needed. */
  readonly gradientsFollowBackward?: boolean;
  /** Numbers for which y and dy/dx are finite. Default: all that do not overflow. */
  readonly domain?: Domain;
  /** Whether the op exists only in training: elsewhere it is a view of its input. */
  readonly trainingOnly?: boolean;
  /**
   * How the error terms of the inputs are computed: `emitted`: by backward; `replaced`: by backward, and dx[0] may be dy;
   * `passed`: the error term of each input is that of the output.
   */
  readonly errorTerm: 'emitted' | 'replaced' | 'passed';
  forward(to: KernelSink, call: OpCall<A, R>): void;
  /** Not called when the error term is `passed`, or not needed for any input (but see gradientsFollowBackward). */
  backward(to: KernelSink, call: BackwardCall<A, R>): void;
  /** Called once for every parameter and subtree; only the gradient of this parameter is not 0. */
  parameterGradients(to: KernelSink, call: GradientCall<A, R>): void;
}

export type Op<A, R extends string = never> = ViewOp<A> | KernelOp<A, R>;

/** The attributes of ops without attributes. */
export const NoAttributes = v.strictObject({});
export type NoAttributes = v.InferOutput<typeof NoAttributes>;

/** One size of a shape, or a number of units. */
export const Size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 28));

/** Common parts of ops without parameters. */
export const WITHOUT_PARAMETERS = {
  kind: 'kernel',
  roles: [],
  parameters: () => ({}),
  parameterGradients: () => {},
} as const;

/** Common parts of elementwise ops of one input whose derivative is a function of y. */
export const ELEMENTWISE_OF_OUTPUT = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs }: OpUse<NoAttributes>) => inputs[0],
  backwardReads: { inputs: false, output: true },
  errorTerm: 'replaced',
} as const;

/** Common parts of elementwise ops of one input whose derivative is a function of x. */
export const ELEMENTWISE_OF_INPUT = {
  ...WITHOUT_PARAMETERS,
  arity: { min: 1, max: 1 },
  shape: ({ inputs }: OpUse<unknown>) => inputs[0],
  backwardReads: { inputs: true, output: false },
  errorTerm: 'replaced',
} as const;
