/*
 * gather, along the first axis of x:  y[p] = x[i[p]]      dx[e] = sum over p with i[p] = e of dy[p]      di = 0
 *
 * i holds indices as float32; one that is not an index of x gives zeros. Sums run in the order of p.
 */
import { UserError } from '../../errors.js';
import { elementsOf, formatShape, type Shape } from '../shape.js';
import { type KernelOp, NoAttributes, type OpCall, WITHOUT_PARAMETERS } from './op.js';

function sizesOf(inputs: readonly Shape[]) {
  const [x, indices] = inputs as unknown as [Shape, Shape];
  return { entries: x[0] ?? 0, width: elementsOf(x.slice(1)), count: elementsOf(indices) };
}

/** Calls back for each row of a range, with the byte offsets of its x, its indices and its y. */
function eachRow(
  { rows, inputs }: Pick<OpCall<NoAttributes, never>, 'rows' | 'inputs'>,
  visit: (x: number, indices: number, y: number) => void,
): void {
  const { entries, width, count } = sizesOf(inputs);
  for (let row = 0; row < rows; row++)
    visit(row * entries * width * 4, row * count * 4, row * count * width * 4);
}

export const gatherOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 2, max: 2 },
  shape({ name, inputs }) {
    const [x, indices] = inputs as unknown as [Shape, Shape];
    if (x.length > 0) return [...indices, ...x.slice(1)];
    throw new UserError(`layer ${name}: ${formatShape(x)} has no axis to gather from`);
  },
  backwardReads: { inputs: true, output: false },
  // A word for each index, for the lists of occurrences.
  saved: ({ inputs }) => [sizesOf(inputs).count],
  errorTerm: 'emitted',
  forward(to, call) {
    const { entries, width, count } = sizesOf(call.inputs);
    const [x = 0, ids = 0] = call.x;
    eachRow(call, (atX, atIds, atY) => {
      const tensors = { ids: ids + atIds, table: x + atX, out: call.y + atY };
      to.emit('embeddingForward', { ...tensors, rows: count, width, entries });
    });
  },
  backward(to, call) {
    const { entries, width, count } = sizesOf(call.inputs);
    const [, ids = 0] = call.x;
    const [dx = 0, dIds = 0] = call.dx;
    if (dIds !== 0) to.emit('fill', { out: dIds, n: call.rows * count, value: 0 });
    if (dx === 0) return;
    eachRow(call, (atX, atIds, atY) => {
      const tensors = {
        ids: ids + atIds,
        dy: call.dy + atY,
        next: (call.saved[0] ?? 0) + atIds,
        out: dx + atX,
      };
      to.emit('treeScatterRows', { ...tensors, rows: count, width, entries, leafRows: count });
    });
  },
};
