/** How far the offsets of the recurrent kernels reach. */
interface Sequences {
  readonly rows: number;
  readonly steps: number;
  readonly units: number;
  readonly sequences: number;
  readonly withCell?: number;
}

const unitsOfSteps = ({ rows, steps, units }: Sequences) => rows * steps * units;
const outputsOf = ({ rows, steps, units, sequences, withCell = 0 }: Sequences) =>
  rows * ((sequences === 0 ? 1 : steps) + withCell) * units;
const gates = (a: Sequences, count: number) => ({
  z: count * unitsOfSteps(a),
  weights: count * a.units * a.units,
  mask: { orNone: a.rows * a.steps },
});
/** What is there before the first step, or its error term. */
const first = ({ rows, units }: Sequences) => ({ orNone: rows * units });

export const RECURRENT_EXTENTS = {
  lstmForward: (a: Sequences) => ({
    ...gates(a, 4),
    start: first(a),
    startCell: first(a),
    cells: unitsOfSteps(a),
    previous: unitsOfSteps(a),
    y: outputsOf(a),
  }),
  lstmBackward: (a: Sequences) => ({
    ...gates(a, 4),
    startCell: first(a),
    cells: unitsOfSteps(a),
    dy: outputsOf(a),
    dStart: first(a),
    dStartCell: first(a),
  }),
  gruForward: (a: Sequences) => ({
    ...gates(a, 3),
    bias: 3 * a.units,
    start: first(a),
    sums: 3 * unitsOfSteps(a),
    previous: unitsOfSteps(a),
    y: outputsOf(a),
  }),
  gruBackward: (a: Sequences) => ({
    ...gates(a, 3),
    sums: 3 * unitsOfSteps(a),
    previous: unitsOfSteps(a),
    dy: outputsOf(a),
    dStart: first(a),
  }),
  simpleRnnForward: (a: Sequences) => ({
    ...gates(a, 1),
    start: first(a),
    previous: unitsOfSteps(a),
    y: outputsOf(a),
  }),
  simpleRnnBackward: (a: Sequences) => ({ ...gates(a, 1), dy: outputsOf(a), dStart: first(a) }),
} as const;
