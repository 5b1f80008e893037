import type { DataPlacement, FieldPlacement } from '../../compiler/batch-rows.js';
import { UserError } from '../../errors.js';
import { elementsOf } from '../../graph/shape.js';
import type { RunMemory } from '../run-memory.js';
import { CommandBufferCache } from '../step/command-buffer-cache.js';
import { ThreadMemory } from '../step/thread-memory.js';
import type { CommandBufferRef } from '../threads/thread-job.js';
import type { ThreadPool } from '../threads/thread-pool.js';

/** Most rows that a thread computes at a time; see BLOCK_ROWS in evaluation.ts. */
const BLOCK_ROWS = 256;
/** A thread computes fewer rows if their activations would need more than this: a run may be in the same memory. */
const SCRATCH_BYTES = 2 ** 26;

/** One thread's memory for a block of rows: the inputs as the only chunk of a data set, and the outputs. */
interface BlockMemory {
  /** Byte offset of the inputs: records of all inputs of a row. */
  readonly records: number;
  /** Byte offset of the outputs. */
  readonly out: number;
  readonly data: DataPlacement;
  readonly threadMemory: ThreadMemory;
  readonly commandBuffers: CommandBufferCache;
}

/**
 * Computes a model's outputs with the weights as they are at the time of the call. Rows do not mix, so an output has the
 * same bits whatever the other rows are, and for any number of threads.
 */
export class Predictor {
  private readonly blockRows: number;
  private readonly recordFloats: number;
  private readonly outputFloats: number;
  private readonly blocks: readonly BlockMemory[];
  private last: Promise<unknown> = Promise.resolve();

  /**
   * @param runMemory the model and its weights; its data are not read
   * @param rowsMax most rows that are computed at a time
   */
  constructor(
    private readonly threadPool: ThreadPool,
    private readonly runMemory: RunMemory,
    rowsMax = BLOCK_ROWS,
  ) {
    const { memory, plan } = runMemory;
    let blockRows = Math.min(BLOCK_ROWS, rowsMax);
    while (blockRows > 1 && plan.scratchBytes(blockRows) > SCRATCH_BYTES)
      blockRows = Math.ceil(blockRows / 2);
    this.blockRows = blockRows;
    this.recordFloats = plan.model.inputs.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
    this.outputFloats = elementsOf(plan.output);
    const order = memory.allocate(blockRows * 4, 'predictions');
    memory.u32(order, blockRows).set(Array.from({ length: blockRows }, (_, row) => row));
    const threads = Math.min(threadPool.threads, rowsMax);
    this.blocks = Array.from({ length: threads }, () => this.allocateBlock(order));
  }

  /**
   * The model's outputs for any number of rows. Overlapping calls are computed one after another.
   *
   * @param inputs for each input of the model: rows * elements numbers, row by row. They must not change before the
   *   result is there
   * @returns rows * elements of the model's output (`model.output`; the probabilities of a softmax)
   * @throws UserError when an input is missing, unknown, or not a whole number of rows
   */
  predict(inputs: Readonly<Record<string, Float32Array>>): Promise<Float32Array> {
    const result = this.last.then(() => this.compute(inputs));
    this.last = result.catch(() => {});
    return result;
  }

  private async compute(inputs: Readonly<Record<string, Float32Array>>): Promise<Float32Array> {
    const rows = this.rowsOf(inputs);
    const outputs = new Float32Array(rows * this.outputFloats);
    const { blocks, blockRows, outputFloats } = this;
    const size = Math.min(blockRows, Math.ceil(rows / blocks.length));
    for (let from = 0; from < rows; from += size * blocks.length) {
      const parts = blocks.map((block, thread) => {
        const first = Math.min(from + thread * size, rows);
        return { block, first, count: Math.min(size, rows - first) };
      });
      await this.threadPool.run(
        parts.map(({ block, first, count }) => {
          if (count === 0) return undefined;
          this.writeInputs(block, inputs, first, count);
          return this.commandBuffer(block, count);
        }),
      );
      for (const { block, first, count } of parts)
        outputs.set(this.runMemory.memory.f32(block.out, count * outputFloats), first * outputFloats);
    }
    return outputs;
  }

  /** Checks the inputs and counts their rows. */
  private rowsOf(inputs: Readonly<Record<string, Float32Array>>): number {
    const { model } = this.runMemory.plan;
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
        `the model's input ${name} takes ${elementsOf(shape)} numbers a row; ${values.length} numbers are not a whole number of rows`,
      );
    });
    const rows = counts[0] ?? 0;
    if (counts.some((count) => count !== rows)) {
      const found = names.map((name, i) => `${name} ${counts[i]}`).join(', ');
      throw new UserError(`all inputs need the same number of rows, not ${found}`);
    }
    return rows;
  }

  private writeInputs(
    { records }: BlockMemory,
    inputs: Readonly<Record<string, Float32Array>>,
    first: number,
    count: number,
  ): void {
    const { recordFloats } = this;
    const to = this.runMemory.memory.f32(records, count * recordFloats);
    let offset = 0;
    for (const { name, shape } of this.runMemory.plan.model.inputs) {
      const elements = elementsOf(shape);
      const values = inputs[name] as Float32Array;
      for (let row = 0; row < count; row++) {
        const at = (first + row) * elements;
        to.set(values.subarray(at, at + elements), row * recordFloats + offset);
      }
      offset += elements;
    }
  }

  private commandBuffer(
    { out, data, threadMemory, commandBuffers }: BlockMemory,
    rows: number,
  ): CommandBufferRef {
    const { plan, weights } = this.runMemory;
    return commandBuffers.get(String(rows), (commandBuffer) => {
      const scratch = threadMemory.scratch(plan.scratchBytes(this.blockRows));
      plan.emitPrediction(commandBuffer, { rows, first: 0, weights, scratch, data, out });
    });
  }

  private allocateBlock(order: number): BlockMemory {
    const { memory, plan, data } = this.runMemory;
    const { blockRows, recordFloats, outputFloats } = this;
    const threadMemory = new ThreadMemory(memory, 0);
    memory.u32(threadMemory.cursor, 2).set([order, 0]);
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
        ...data.placement(threadMemory.cursor),
        chunkTable,
        chunkSamples: blockRows,
        recordBytes: recordFloats * 4,
        fields,
      },
      threadMemory,
      commandBuffers: new CommandBufferCache(memory),
    };
  }
}
