/*
 * The gradient of one parameter, summed over the samples by the canonical tree: once for each subtree of a range.
 *
 * For a parameter with one use the kernel computes the whole subtree. With several uses (shared weights) the sum of a leaf
 * is the sum over the uses, and then leaves are merged: if whole subtrees were added use by use, the bits would depend on
 * how the batch is split.
 */

import type { GradientCall, KernelSink } from '../graph/ops/op.js';
import { elementsOf } from '../graph/shape.js';
import type { Subtree, TrainingRows } from './batch-rows.js';
import { alignFloats, type PlannedParameter } from './flat-vector.js';
import { type Compilation, opCall } from './forward.js';
import type { EmitContext, Program, RowTensor } from './program.js';
import type { ComputeNode } from './reachable-graph.js';

/** A node in the backward pass. */
export interface BackwardNode {
  readonly entry: ComputeNode;
  /** Error term of its output. */
  readonly dy: RowTensor;
  /** The inputs and the output, if its backward pass reads them; else undefined. */
  readonly x: readonly (RowTensor | undefined)[];
  readonly y: RowTensor | undefined;
  /** What its forward pass has saved; its backward pass may overwrite it. */
  readonly saved: readonly RowTensor[];
}

/** One use of a parameter, in one role. */
export interface ParameterUse extends BackwardNode {
  readonly role: string;
}

/** Rows of a range, counted from its first row. */
interface Rows {
  readonly row: number;
  readonly rows: number;
}

/** Appends the instruction that writes the gradient of a parameter for each subtree. */
export function compileParameterGradient(
  program: Program<TrainingRows>,
  compilation: Compilation,
  name: string,
  uses: readonly ParameterUse[],
): void {
  const parameter = compilation.parameters.get(name) as PlannedParameter;
  const [only, ...others] = uses;
  const read = uses
    .flatMap(({ dy, x, y, saved }) => [dy, ...x, y, ...saved])
    .filter((tensor) => tensor !== undefined);
  if (others.length > 0) reserveBuffers(program, parameter);
  program.add({
    reads: [...new Set(read)],
    writes: [],
    gradientOf: name,
    emit(to, context) {
      for (const subtree of context.range.subtrees) {
        const out = subtree.out + parameter.offset * 4;
        if (others.length > 0)
          emitSharedGradient(to, context, compilation, { parameter, uses, subtree, out });
        else emitUse(to, context, compilation, only as ParameterUse, subtree, out);
      }
    },
  });
}

function emitUse(
  to: KernelSink,
  context: EmitContext<TrainingRows>,
  compilation: Compilation,
  use: ParameterUse,
  { row, rows }: Rows,
  out: number,
): void {
  const { entry, dy, role } = use;
  const call = opCall(entry, use, context, compilation);
  const skip = (at: number, elements: number): number => (at === 0 ? 0 : at + row * elements * 4);
  const x = call.x.map((at, i) => skip(at, elementsOf(call.inputs[i] ?? [])));
  entry.op.parameterGradients(to, {
    ...call,
    rows,
    x: x as unknown as GradientCall<unknown, string>['x'],
    y: skip(call.y, elementsOf(call.output)),
    saved: call.saved.map((at, i) => skip(at, use.saved[i]?.elements ?? 0)),
    dy: skip(context.at(dy), elementsOf(call.output)),
    row,
    batch: context.range.batch,
    leafRows: context.range.leafSize,
    gradients: Object.fromEntries(entry.op.roles.map((name) => [name, name === role ? out : 0])),
  });
}

interface SharedGradient {
  readonly parameter: PlannedParameter;
  readonly uses: readonly ParameterUse[];
  readonly subtree: Subtree;
  readonly out: number;
}

/** Computes leaf by leaf and merges like a binary counter: a complete right child is added to its left sibling at once. */
function emitSharedGradient(
  to: KernelSink,
  context: EmitContext<TrainingRows>,
  compilation: Compilation,
  { parameter, uses, subtree, out }: SharedGradient,
): void {
  const n = parameter.size;
  // The leftmost sum is where the gradient belongs.
  const buffer = (index: number): number =>
    index === 0 ? out : context.extra + (index - 1) * alignFloats(n) * 4;
  const { leafSize } = context.range;
  let depth = 0;
  const mergeTopTwo = (): void => {
    depth -= 1;
    to.emit('addVectors', { out: buffer(depth - 1), a: buffer(depth - 1), b: buffer(depth), n });
  };
  for (let leaf = 0; leaf * leafSize < subtree.rows; leaf++) {
    const rows = Math.min(leafSize, subtree.rows - leaf * leafSize);
    const part = { row: subtree.row + leaf * leafSize, rows };
    uses.forEach((use, i) => {
      emitUse(to, context, compilation, use, part, buffer(i === 0 ? depth : depth + 1));
      if (i > 0) to.emit('addVectors', { out: buffer(depth), a: buffer(depth), b: buffer(depth + 1), n });
    });
    depth += 1;
    for (let carry = leaf; carry % 2 === 1; carry = (carry - 1) / 2) mergeTopTwo();
  }
  // At the end a node without a right sibling takes the place of its parent, until it is a right child.
  while (depth > 1) mergeTopTwo();
}

/** Reserves the buffers above: one for each level of the tree, and one for a further use of a leaf. All parameters share them. */
function reserveBuffers(program: Program<TrainingRows>, { size }: PlannedParameter): void {
  const before = program.extraFloats;
  program.extraFloats = (rows) => {
    const levels = 32 - Math.clz32(Math.max(rows, 1) - 1);
    return Math.max(before(rows), (levels + 1) * alignFloats(size));
  };
}
