/*
 * The gradient of one parameter, summed over the samples as the canonical tree demands: once for each subtree of a job.
 *
 * A parameter with one use leaves the whole subtree to its kernel. With several uses (shared weights) a leaf's sum is
 * the sum over the uses of the leaf's sums, and only then do leaves meet leaves: were whole subtrees added up use by use,
 * the bits would depend on how the batch was cut.
 */
import { alignFloats, type PlannedParameter } from './flat-vector.js';
import { type Compilation, opCall } from './forward.js';
import type { Job, Subtree } from './job.js';
import type { ComputeNode } from './network.js';
import type { GradientCall, KernelSink } from './ops/op.js';
import type { Frame, Program, RowTensor } from './program.js';
import { elementsOf } from './shape.js';

/** A node in the reverse walk. */
export interface BackwardNode {
  readonly entry: ComputeNode;
  /** Error term of its output. */
  readonly dy: RowTensor;
  /** What its backward pass reads of the forward pass; undefined where it says that it does not. */
  readonly x: readonly (RowTensor | undefined)[];
  readonly y: RowTensor | undefined;
  /** What its forward pass has kept, and its backward pass perhaps written over. */
  readonly saved: readonly RowTensor[];
}

/** One use of a parameter, in one role. */
export interface ParameterUse extends BackwardNode {
  readonly role: string;
}

/** Rows of a job, counted from its first. */
interface Rows {
  readonly row: number;
  readonly rows: number;
}

/** Appends the instruction that writes a parameter's gradient for each subtree. */
export function compileParameterGradient(
  program: Program<Job>,
  compilation: Compilation,
  name: string,
  uses: readonly ParameterUse[],
): void {
  const parameter = compilation.parameters.get(name) as PlannedParameter;
  const [only, ...others] = uses;
  const read = uses
    .flatMap(({ dy, x, y, saved }) => [dy, ...x, y, ...saved])
    .filter((tensor) => tensor !== undefined);
  if (others.length > 0) reserveSlots(program, parameter);
  program.add({
    reads: [...new Set(read)],
    writes: [],
    emit(to, frame) {
      for (const subtree of frame.job.subtrees) {
        const out = subtree.out + parameter.offset * 4;
        if (others.length > 0) emitSharedGradient(to, frame, compilation, { parameter, uses, subtree, out });
        else emitUse(to, frame, compilation, only as ParameterUse, subtree, out);
      }
    },
  });
}

function emitUse(
  to: KernelSink,
  frame: Frame<Job>,
  compilation: Compilation,
  use: ParameterUse,
  { row, rows }: Rows,
  out: number,
): void {
  const { entry, dy, role } = use;
  const call = opCall(entry, use, frame, compilation);
  const skip = (at: number, elements: number): number => (at === 0 ? 0 : at + row * elements * 4);
  const x = call.x.map((at, i) => skip(at, elementsOf(call.inputs[i] ?? [])));
  entry.op.parameterGradients(to, {
    ...call,
    rows,
    x: x as unknown as GradientCall<unknown, string>['x'],
    y: skip(call.y, elementsOf(call.output)),
    saved: call.saved.map((at, i) => skip(at, use.saved[i]?.elements ?? 0)),
    dy: skip(frame.at(dy), elementsOf(call.output)),
    row,
    batch: frame.job.batch,
    leafRows: frame.job.leafSize,
    gradients: Object.fromEntries(entry.op.roles.map((name) => [name, name === role ? out : 0])),
  });
}

interface SharedGradient {
  readonly parameter: PlannedParameter;
  readonly uses: readonly ParameterUse[];
  readonly subtree: Subtree;
  readonly out: number;
}

/** Leaf by leaf, merged as a binary counter carries: a full node is added to its left sibling at once. */
function emitSharedGradient(
  to: KernelSink,
  frame: Frame<Job>,
  compilation: Compilation,
  { parameter, uses, subtree, out }: SharedGradient,
): void {
  const n = parameter.size;
  const slot = (index: number): number => frame.room + index * alignFloats(n) * 4;
  const { leafSize } = frame.job;
  let depth = 0;
  const mergeTopTwo = (): void => {
    depth -= 1;
    to.emit('addVectors', { out: slot(depth - 1), a: slot(depth - 1), b: slot(depth), n });
  };
  for (let leaf = 0; leaf * leafSize < subtree.rows; leaf++) {
    const rows = Math.min(leafSize, subtree.rows - leaf * leafSize);
    const place = { row: subtree.row + leaf * leafSize, rows };
    uses.forEach((use, i) => {
      emitUse(to, frame, compilation, use, place, slot(i === 0 ? depth : depth + 1));
      if (i > 0) to.emit('addVectors', { out: slot(depth), a: slot(depth), b: slot(depth + 1), n });
    });
    depth += 1;
    for (let carry = leaf; carry % 2 === 1; carry = (carry - 1) / 2) mergeTopTwo();
  }
  // The ragged end: what has no right sibling is passed up to where it is a right child itself.
  while (depth > 1) mergeTopTwo();
  to.emit('copyVector', { out, a: slot(0), n });
}

/** Room for the slots above: one for each level of the tree, and two to work with. All parameters use the same. */
function reserveSlots(program: Program<Job>, { size }: PlannedParameter): void {
  const before = program.roomFloats;
  program.roomFloats = (rows) => {
    const levels = 32 - Math.clz32(Math.max(rows, 1) - 1);
    return Math.max(before(rows), (levels + 3) * alignFloats(size));
  };
}
