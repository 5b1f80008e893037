import type { Plan } from '../graph/plan.js';
import type { Tape } from '../kernels/tape.js';
import {
  leafCount,
  maximalSubtrees,
  type Node,
  nodeLeaves,
  type Range,
  rowsOf,
  splitRange,
} from '../sum/leaves.js';
import { type Partial, planAdds } from './partials.js';
import type { RunPlace } from './step-compiler.js';
import { TapeStore } from './tape-store.js';
import type { TapeRef, Team } from './team.js';
import { ThreadSpace } from './thread-space.js';

/** Samples that a thread takes at a time: enough to work at full speed, small enough to stay in its cache. */
const BLOCK_ROWS = 256;
/** Blocks in one tape, so that a tape is bounded whatever the data set. */
const TAPE_BLOCKS = 128;

/**
 * Metrics over a whole data set, through the same tree as a step's: the set is one batch, so the sums are the same
 * bits for any number of threads.
 */
export class Evaluation {
  private readonly spaces: readonly ThreadSpace[];
  private readonly tapes: readonly TapeStore[];
  /** One node of the tree for each block, in order. */
  private readonly blocks: readonly Partial[];
  private readonly leaves: number;
  /** Samples of the set. */
  readonly samples: number;

  /**
   * @param place where the model lies; `data` is the set to evaluate on
   */
  constructor(
    private readonly team: Team,
    private readonly place: RunPlace,
  ) {
    const { memory, plan, leafSize, data } = place;
    this.samples = data.manifest.samples;
    this.leaves = leafCount(this.samples, leafSize);
    const tailBytes = tailFloats(plan) * 4;
    this.spaces = Array.from({ length: team.threads }, () => new ThreadSpace(memory, tailBytes));
    this.tapes = this.spaces.map(() => new TapeStore(memory));
    this.blocks = blockNodes(this.leaves, leafSize).map((node) => ({
      node,
      slot: memory.allocate(tailBytes, 'partial sums'),
    }));
  }

  /** Evaluates the weights as they are. Returns each metric's sum over all samples, in the plan's order. */
  async run(): Promise<number[]> {
    for (const space of this.spaces)
      this.place.memory.u32(space.cursor, 2).set([this.place.data.straightOrder(), 0]);
    const blocks = { from: 0, to: this.blocks.length };
    const shares = splitRange(blocks, this.team.threads, 1);
    const rounds = Math.ceil(Math.max(...shares.map(({ from, to }) => to - from)) / TAPE_BLOCKS);
    for (let round = 0; round < rounds; round++) {
      const tapes = shares.map((share, thread) => this.tape(thread, pieceOf(share, round)));
      await this.team.run(tapes);
    }
    return this.total();
  }

  private async total(): Promise<number[]> {
    const { plan, memory } = this.place;
    const { adds, tops } = planAdds(this.blocks, this.leaves);
    const n = tailFloats(plan);
    const tape = this.tapes[0]?.get('total', (t) => {
      for (const { out, a, b } of adds) t.emit('addVectors', { out, a, b, n });
    });
    await this.team.run([tape]);
    const [root] = tops;
    return [...memory.f32(root?.slot ?? 0, plan.metrics.length)];
  }

  private tape(thread: number, piece: Range): TapeRef | undefined {
    if (piece.to <= piece.from) return undefined;
    const key = `${piece.from} ${piece.to}`;
    return this.tapes[thread]?.get(key, (tape) => {
      for (const block of this.blocks.slice(piece.from, piece.to)) this.emitBlock(tape, thread, block);
    });
  }

  private emitBlock(tape: Tape, thread: number, { node, slot }: Partial): void {
    const { plan, leafSize, weights, data } = this.place;
    const space = this.spaces[thread] as ThreadSpace;
    const { first, rows } = rowsOf(nodeLeaves(node, this.leaves), this.samples, leafSize);
    // Only the metric sums behind the parameters are written, so the vector needs no room for the parameters.
    const out = slot - plan.parameterFloats * 4;
    plan.emitEvaluation(tape, {
      rows,
      first,
      batch: this.samples,
      leafSize,
      subtrees: [{ row: 0, rows, out }],
      weights,
      scratch: space.scratch(plan.scratchBytes(Math.min(this.samples, Math.max(BLOCK_ROWS, leafSize)))),
      data: data.placement(space.cursor),
    });
  }
}

/** The largest subtrees that hold at most BLOCK_ROWS samples (or one leaf, when that is larger), in order. */
function blockNodes(leaves: number, leafSize: number): Node[] {
  let size = 1;
  while (size * 2 * leafSize <= BLOCK_ROWS) size *= 2;
  return Array.from({ length: Math.ceil(leaves / size) }, (_, i) => {
    const range = { from: i * size, to: Math.min((i + 1) * size, leaves) };
    return maximalSubtrees(range, leaves)[0] as Node;
  });
}

/** The blocks of a thread's share that go into its tape of this round. */
function pieceOf(share: Range, round: number): Range {
  const from = Math.min(share.from + round * TAPE_BLOCKS, share.to);
  return { from, to: Math.min(from + TAPE_BLOCKS, share.to) };
}

function tailFloats(plan: Plan): number {
  return plan.vectorFloats - plan.parameterFloats;
}
