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
/** Output or cell before the first step, or its error term. */
const initial = ({ rows, units }: Sequences) => ({ orNone: rows * units });

/** Bounds of the recurrent kernels. */
export const RECURRENT_BOUNDS = {
  lstmForward: (a: Sequences) => ({
    ...gates(a, 4),
    start: initial(a),
    startCell: initial(a),
    cells: unitsOfSteps(a),
    previous: unitsOfSteps(a),
    y: outputsOf(a),
  }),
  lstmBackward: (a: Sequences) => ({
    ...gates(a, 4),
    startCell: initial(a),
    cells: unitsOfSteps(a),
    dy: outputsOf(a),
    dStart: initial(a),
    dStartCell: initial(a),
  }),
  gruForward: (a: Sequences) => ({
    ...gates(a, 3),
    bias: 3 * a.units,
    start: initial(a),
    sums: 3 * unitsOfSteps(a),
    previous: unitsOfSteps(a),
    y: outputsOf(a),
  }),
  gruBackward: (a: Sequences) => ({
    ...gates(a, 3),
    sums: 3 * unitsOfSteps(a),
    previous: unitsOfSteps(a),
    dy: outputsOf(a),
    dStart: initial(a),
  }),
  simpleRnnForward: (a: Sequences) => ({
    ...gates(a, 1),
    start: initial(a),
    previous: unitsOfSteps(a),
    y: outputsOf(a),
  }),
  simpleRnnBackward: (a: Sequences) => ({ ...gates(a, 1), dy: outputsOf(a), dStart: initial(a) }),
} as const;
