import type { Plan } from '../../compiler/plan.js';
import { elementsOf } from '../../graph/shape.js';
import type { RunMemory } from '../run-memory.js';
import { CommandBufferCache } from '../step/command-buffer-cache.js';
import { ThreadMemory } from '../step/thread-memory.js';
import type { ThreadPool } from '../threads/thread-pool.js';

/** Most rows that a thread computes at a time; see BLOCK_ROWS in evaluation.ts. */
const BLOCK_ROWS = 256;
/** A thread computes fewer rows if their activations and outputs would need more than this. */
const BLOCK_BYTES = 2 ** 26;

/** The outputs of a network for all samples of a data set, block by block in the order of the samples. */
export class OutputPass {
  private readonly blockRows: number;
  private readonly outputFloats: number;
  private readonly blocks: readonly {
    readonly out: number;
    readonly threadMemory: ThreadMemory;
    readonly commandBuffers: CommandBufferCache;
  }[];

  /**
   * @param runMemory the data set, and the weights as they are at the time of a run
   * @param plan of a network with the same parameters
   */
  constructor(
    private readonly threadPool: ThreadPool,
    private readonly runMemory: RunMemory,
    private readonly plan: Plan,
  ) {
    const { memory } = runMemory;
    this.outputFloats = elementsOf(plan.output);
    let blockRows = BLOCK_ROWS;
    const bytes = (rows: number): number => plan.scratchBytes(rows) + rows * this.outputFloats * 4;
    while (blockRows > 1 && bytes(blockRows) > BLOCK_BYTES) blockRows /= 2;
    this.blockRows = blockRows;
    this.blocks = Array.from({ length: threadPool.threads }, () => ({
      out: memory.allocate(blockRows * this.outputFloats * 4, 'outputs'),
      threadMemory: new ThreadMemory(memory, 0),
      commandBuffers: new CommandBufferCache(memory),
    }));
  }

  /** Computes all outputs. @param take is given the outputs of `rows` samples from `from` on, valid during the call */
  async run(take: (outputs: Float32Array, from: number, rows: number) => void): Promise<void> {
    const { blocks, blockRows, outputFloats } = this;
    const { memory, data } = this.runMemory;
    const { samples } = data.manifest;
    const order = data.identityOrder();
    for (let turn = 0; turn < samples; turn += blockRows * blocks.length) {
      const parts = blocks.map((block, thread) => {
        const from = Math.min(turn + thread * blockRows, samples);
        return { block, from, rows: Math.min(blockRows, samples - from) };
      });
      await this.threadPool.run(
        parts.map(({ block, from, rows }) => {
          if (rows === 0) return undefined;
          memory.u32(block.threadMemory.cursor, 2).set([order, from]);
          return this.commandBuffer(block, rows);
        }),
      );
      for (const { block, from, rows } of parts)
        if (rows > 0) take(memory.f32(block.out, rows * outputFloats), from, rows);
    }
  }

  private commandBuffer({ out, threadMemory, commandBuffers }: (typeof this.blocks)[number], rows: number) {
    const { plan } = this;
    const { weights, data } = this.runMemory;
    return commandBuffers.get(String(rows), (to) => {
      const scratch = threadMemory.scratch(plan.scratchBytes(this.blockRows));
      plan.emitPrediction(to, {
        rows,
        first: 0,
        weights,
        scratch,
        data: data.placement(threadMemory.cursor),
        out,
      });
    });
  }
}
