import type { Plan } from '../../compiler/plan.js';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import {
  type LeafRange,
  leafCount,
  maximalSubtrees,
  nodeLeaves,
  rowsOf,
  splitRange,
  type TreeNode,
} from '../../reduction/tree.js';
import type { RunMemory } from '../run-memory.js';
import { CommandBufferCache } from '../step/command-buffer-cache.js';
import { type PartialSum, planAdds } from '../step/partial-sum-addition.js';
import { ThreadMemory } from '../step/thread-memory.js';
import type { CommandBufferRef } from '../threads/thread-job.js';
import type { ThreadPool } from '../threads/thread-pool.js';

/** Samples that a thread computes at a time: enough for full speed, few enough to stay in its cache. */
const BLOCK_ROWS = 256;
/** Most blocks in one command buffer: its size is bounded for any data set. */
const COMMAND_BUFFER_BLOCKS = 128;

/**
 * Computes metrics over a whole data set. The set is one batch, summed by the same tree as a step's batch, so the sums
 * have the same bits for any number of threads.
 */
export class Evaluation {
  private readonly threadMemories: readonly ThreadMemory[];
  private readonly commandBuffers: readonly CommandBufferCache[];
  /** The sum of each block of samples, in order. */
  private readonly blocks: readonly PartialSum[];
  private readonly leaves: number;
  /** Samples of the data set. */
  readonly samples: number;

  /** @param runMemory the model and its weights; `data` is the data set to evaluate on */
  constructor(
    private readonly threadPool: ThreadPool,
    private readonly runMemory: RunMemory,
  ) {
    const { memory, plan, leafSize, data } = runMemory;
    this.samples = data.manifest.samples;
    this.leaves = leafCount(this.samples, leafSize);
    const tailBytes = tailFloats(plan) * 4;
    this.threadMemories = Array.from(
      { length: threadPool.threads },
      () => new ThreadMemory(memory, tailBytes),
    );
    this.commandBuffers = this.threadMemories.map(() => new CommandBufferCache(memory));
    this.blocks = blockNodes(this.leaves, leafSize).map((node) => ({
      node,
      buffer: memory.allocate(tailBytes, 'partial sums'),
    }));
  }

  /** Writes the command buffers of the first turn, so that what is too large is refused before training. @throws UserError */
  compile(): void {
    for (const [thread, share] of this.shares().entries()) this.commandBuffer(thread, pieceOf(share, 0));
  }

  /** Evaluates the weights as they are now. Returns each metric's sum over all samples, in the plan's order. */
  async run(): Promise<number[]> {
    for (const threadMemory of this.threadMemories)
      this.runMemory.memory.u32(threadMemory.cursor, 2).set([this.runMemory.data.identityOrder(), 0]);
    const shares = this.shares();
    const turns = Math.ceil(Math.max(...shares.map(({ from, to }) => to - from)) / COMMAND_BUFFER_BLOCKS);
    for (let turn = 0; turn < turns; turn++) {
      const commandBuffers = shares.map((share, thread) => this.commandBuffer(thread, pieceOf(share, turn)));
      await this.threadPool.run(commandBuffers);
    }
    return this.total();
  }

  /** The blocks of each thread. */
  private shares(): LeafRange[] {
    return splitRange({ from: 0, to: this.blocks.length }, this.threadPool.threads, 1);
  }

  private async total(): Promise<number[]> {
    const { plan, memory } = this.runMemory;
    const { adds, tops } = planAdds(this.blocks, this.leaves);
    const n = tailFloats(plan);
    const commandBuffer = this.commandBuffers[0]?.get('total', (to) => {
      for (const { out, a, b } of adds) to.emit('addVectors', { out, a, b, n });
    });
    await this.threadPool.run([commandBuffer]);
    const [root] = tops;
    return [...memory.f32(root?.buffer ?? 0, plan.metrics.length)];
  }

  private commandBuffer(thread: number, piece: LeafRange): CommandBufferRef | undefined {
    if (piece.to <= piece.from) return undefined;
    const key = `${piece.from} ${piece.to}`;
    return this.commandBuffers[thread]?.get(key, (commandBuffer) => {
      for (const block of this.blocks.slice(piece.from, piece.to))
        this.emitBlock(commandBuffer, thread, block);
    });
  }

  private emitBlock(commandBuffer: CommandBuffer, thread: number, { node, buffer }: PartialSum): void {
    const { plan, leafSize, weights, data } = this.runMemory;
    const threadMemory = this.threadMemories[thread] as ThreadMemory;
    const { first, rows } = rowsOf(nodeLeaves(node, this.leaves), this.samples, leafSize);
    // An evaluation writes only the metric sums, which follow the parameters: the vector has no memory for parameters.
    const out = buffer - plan.gradientFloats * 4;
    plan.emitEvaluation(commandBuffer, {
      rows,
      first,
      batch: this.samples,
      leafSize,
      subtrees: [{ row: 0, rows, out }],
      weights,
      scratch: threadMemory.scratch(
        plan.scratchBytes(Math.min(this.samples, Math.max(BLOCK_ROWS, leafSize))),
      ),
      data: data.placement(threadMemory.cursor),
    });
  }
}

/** The largest subtrees of at most BLOCK_ROWS samples (or of one leaf, if that is larger), in order. */
function blockNodes(leaves: number, leafSize: number): TreeNode[] {
  let size = 1;
  while (size * 2 * leafSize <= BLOCK_ROWS) size *= 2;
  return Array.from({ length: Math.ceil(leaves / size) }, (_, i) => {
    const range = { from: i * size, to: Math.min((i + 1) * size, leaves) };
    return maximalSubtrees(range, leaves)[0] as TreeNode;
  });
}

/** The blocks of a thread's share that its command buffer of this turn computes. */
function pieceOf(share: LeafRange, turn: number): LeafRange {
  const from = Math.min(share.from + turn * COMMAND_BUFFER_BLOCKS, share.to);
  return { from, to: Math.min(from + COMMAND_BUFFER_BLOCKS, share.to) };
}

function tailFloats(plan: Plan): number {
  return plan.vectorFloats - plan.gradientFloats;
}
