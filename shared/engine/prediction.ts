import { UserError } from '../errors.js';
import type { DataPlacement, FieldPlacement } from '../graph/job.js';
import { elementsOf } from '../graph/shape.js';
import type { RunPlace } from './step-compiler.js';
import { TapeStore } from './tape-store.js';
import type { TapeRef, Team } from './team.js';
import { ThreadSpace } from './thread-space.js';

/** Most rows that a thread takes at a time; see BLOCK_ROWS in evaluation.ts. */
const BLOCK_ROWS = 256;
/** A thread takes fewer rows when their activations would need more than this: predicting is done beside a run. */
const SCRATCH_BYTES = 2 ** 26;

/** A thread's room for one block: its inputs as the one chunk of a data set, and its outputs. */
interface Desk {
  readonly records: number;
  readonly out: number;
  readonly data: DataPlacement;
  readonly space: ThreadSpace;
  readonly tapes: TapeStore;
}

/**
 * Runs a model forward on inputs at hand, with the weights as they are at that moment. Rows do not mix, so an output
 * has the same bits whatever rows stand beside it, and for any number of threads.
 */
export class Predictor {
  private readonly blockRows: number;
  private readonly recordFloats: number;
  private readonly outputFloats: number;
  private readonly desks: readonly Desk[];
  private last: Promise<unknown> = Promise.resolve();

  /**
   * @param place where the model lies; its data is not looked at
   */
  constructor(
    private readonly team: Team,
    private readonly place: RunPlace,
  ) {
    const { memory, plan } = place;
    let blockRows = BLOCK_ROWS;
    while (blockRows > 1 && plan.scratchBytes(blockRows) > SCRATCH_BYTES) blockRows /= 2;
    this.blockRows = blockRows;
    this.recordFloats = plan.model.inputs.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
    this.outputFloats = elementsOf(plan.output);
    const order = memory.allocate(blockRows * 4, 'predictions');
    memory.u32(order, blockRows).set(Array.from({ length: blockRows }, (_, row) => row));
    this.desks = Array.from({ length: team.threads }, () => this.desk(order));
  }

  /**
   * The model's outputs for any number of rows. Calls may overlap; they are served one after the other.
   *
   * @param inputs for each input of the model: rows * elements numbers, row after row. Not to be changed before the
   *   result is there
   * @returns rows * elements of the model's output (`model.output`: behind a softmax, probabilities)
   * @throws UserError when an input is missing, unknown or no whole number of rows
   */
  predict(inputs: Readonly<Record<string, Float32Array>>): Promise<Float32Array> {
    const result = this.last.then(() => this.compute(inputs));
    this.last = result.catch(() => {});
    return result;
  }

  private async compute(inputs: Readonly<Record<string, Float32Array>>): Promise<Float32Array> {
    const rows = this.rowsOf(inputs);
    const outputs = new Float32Array(rows * this.outputFloats);
    const { desks, blockRows, outputFloats } = this;
    const block = Math.min(blockRows, Math.ceil(rows / desks.length));
    for (let from = 0; from < rows; from += block * desks.length) {
      const blocks = desks.map((desk, thread) => {
        const first = Math.min(from + thread * block, rows);
        return { desk, first, count: Math.min(block, rows - first) };
      });
      await this.team.run(
        blocks.map(({ desk, first, count }) => {
          if (count === 0) return undefined;
          this.layDown(desk, inputs, first, count);
          return this.tape(desk, count);
        }),
      );
      for (const { desk, first, count } of blocks)
        outputs.set(this.place.memory.f32(desk.out, count * outputFloats), first * outputFloats);
    }
    return outputs;
  }

  /** Rows of some inputs, which are checked. */
  private rowsOf(inputs: Readonly<Record<string, Float32Array>>): number {
    const { model } = this.place.plan;
    const names = model.inputs.map(({ name }) => name);
    const unknown = Object.keys(inputs).find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new UserError(`the model has no input ${unknown}; its inputs are ${names.join(', ')}`);
    const counts = model.inputs.map(({ name, shape }) => {
      const values = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (values === undefined) throw new UserError(`the model's input ${name} is missing; give its values`);
      const rows = values.length / elementsOf(shape);
      if (Number.isInteger(rows)) return rows;
      throw new UserError(
        `the model's input ${name} takes ${elementsOf(shape)} numbers a row, and ${values.length} are no whole number of rows`,
      );
    });
    const rows = counts[0] ?? 0;
    if (counts.some((count) => count !== rows)) {
      const found = names.map((name, i) => `${name} ${counts[i]}`).join(', ');
      throw new UserError(`inputs to predict from need the same number of rows, not ${found}`);
    }
    return rows;
  }

  private layDown(
    { records }: Desk,
    inputs: Readonly<Record<string, Float32Array>>,
    first: number,
    count: number,
  ): void {
    const { recordFloats } = this;
    const to = this.place.memory.f32(records, count * recordFloats);
    let offset = 0;
    for (const { name, shape } of this.place.plan.model.inputs) {
      const elements = elementsOf(shape);
      const values = inputs[name] as Float32Array;
      for (let row = 0; row < count; row++) {
        const at = (first + row) * elements;
        to.set(values.subarray(at, at + elements), row * recordFloats + offset);
      }
      offset += elements;
    }
  }

  private tape({ out, data, space, tapes }: Desk, rows: number): TapeRef {
    const { plan, weights } = this.place;
    return tapes.get(String(rows), (tape) => {
      const scratch = space.scratch(plan.scratchBytes(this.blockRows));
      plan.emitPrediction(tape, { rows, first: 0, weights, scratch, data, out });
    });
  }

  private desk(order: number): Desk {
    const { memory, plan, data } = this.place;
    const { blockRows, recordFloats, outputFloats } = this;
    const space = new ThreadSpace(memory, 0);
    memory.u32(space.cursor, 2).set([order, 0]);
    const records = memory.allocate(blockRows * recordFloats * 4, 'predictions');
    const chunkTable = memory.allocate(4, 'predictions');
    memory.u32(chunkTable, 1)[0] = records;
    const fields: Record<string, FieldPlacement> = {};
    let offset = 0;
    for (const { name, shape } of plan.model.inputs) {
      fields[name] = { dtype: 'f32', shape, offset, scale: 1, shift: 0 };
      offset += elementsOf(shape) * 4;
    }
    return {
      records,
      out: memory.allocate(blockRows * outputFloats * 4, 'predictions'),
      data: {
        ...data.placement(space.cursor),
        chunkTable,
        chunkSamples: blockRows,
        recordBytes: recordFloats * 4,
        fields,
      },
      space,
      tapes: new TapeStore(memory),
    };
  }
}
