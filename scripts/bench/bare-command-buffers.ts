import type { Clock } from '../../shared/actor/clock.js';
import { planReduction } from '../../shared/engine/step/partial-sum-addition.js';
import { StepCompiler } from '../../shared/engine/step/step-compiler.js';
import { partitionUpdate, type Slice } from '../../shared/engine/step/update-partition.js';
import type { CommandBufferRef } from '../../shared/engine/threads/thread-job.js';
import { assert } from '../../shared/errors.js';
import { leafCount, splitRange } from '../../shared/reduction/tree.js';
import type { StepRig } from './step-rig.js';

/** Repetitions of a command buffer between two readings of the clock. */
const BLOCK_STEPS = 16;

/** What one thread runs in a step: its part of forward and backward, then its slice of the reduction and the update. */
interface ThreadCommandBuffers {
  readonly compute: CommandBufferRef;
  readonly finish: CommandBufferRef;
  readonly update: CommandBufferRef;
  readonly cursor: number;
}

/**
 * The arithmetic of a rig's steps and nothing else: the command buffers of all its threads run one after the other on
 * the calling thread, without barriers, dispatch or log. The rest of a step's time is overhead.
 */
export class BareCommandBuffers {
  private readonly commandBuffers: readonly ThreadCommandBuffers[];
  private position = 0;

  constructor(
    private readonly rig: StepRig,
    private readonly clock: Clock,
  ) {
    const { batch, leafSize, threads } = rig.request;
    const { runMemory, updater } = rig;
    const leaves = leafCount(batch, leafSize);
    const parts = splitRange({ from: 0, to: leaves }, threads, 1).map((range) => {
      const compiler = new StepCompiler(runMemory);
      return { compiler, ...compiler.compute(range, batch, 0) };
    });
    const { reduction, tops } = planReduction(
      parts.flatMap(({ partialSums }) => partialSums),
      leaves,
    );
    const [root] = tops;
    assert(root !== undefined && tops.length === 1, 'the partial sums of a batch have one root');
    const { slices, matrices } = partitionUpdate(runMemory.plan, threads);
    const { scalars } = updater.optimizer.update(
      updater.optimizer.init(),
      rig.request.recipe.optimizer.learningRate,
    );
    this.commandBuffers = parts.map(({ compiler, commandBuffers: [compute] }, thread) => {
      const slice = slices[thread] as Slice;
      runMemory.memory.f32(compiler.threadMemory.scalars, scalars.length).set(scalars);
      const finish = compiler.finish(reduction, root.buffer, slice, updater);
      const update = compiler.update(root.buffer, slice, updater, matrices[thread]);
      return { compute: compute as CommandBufferRef, finish, update, cursor: compiler.threadMemory.cursor };
    });
  }

  /**
   * Times each thread's command buffers separately, each for an equal share of the window.
   * @returns microseconds of the slowest thread: what a step would take if synchronisation cost nothing
   */
  window(windowMs: number): number {
    return Math.max(
      ...this.commandBuffers.map((commandBuffers) =>
        this.time(commandBuffers, windowMs / this.commandBuffers.length),
      ),
    );
  }

  private time({ compute, finish, update, cursor }: ThreadCommandBuffers, windowMs: number): number {
    const { device, runMemory, request } = this.rig;
    const { kernels } = device;
    const samples = runMemory.data.manifest.samples;
    const cell = runMemory.memory.u32(cursor, 2);
    cell[0] = runMemory.data.order(0);
    const begunMs = this.clock.nowMs();
    let steps = 0;
    let spentMs = 0;
    do {
      for (let i = 0; i < BLOCK_STEPS; i++) {
        this.position = this.position + 2 * request.batch > samples ? 0 : this.position + request.batch;
        cell[1] = this.position;
        kernels.run(compute.offset, compute.words);
        kernels.run(finish.offset, finish.words);
        kernels.run(update.offset, update.words);
      }
      steps += BLOCK_STEPS;
      spentMs = this.clock.nowMs() - begunMs;
    } while (spentMs < windowMs);
    return (spentMs / steps) * 1000;
  }
}
