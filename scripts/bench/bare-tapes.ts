import type { Clock } from '../../shared/actor/clock.js';
import { planAdds } from '../../shared/engine/partials.js';
import { StepCompiler } from '../../shared/engine/step-compiler.js';
import type { TapeRef } from '../../shared/engine/team.js';
import { cutBetween, type Slice } from '../../shared/engine/update-parts.js';
import { assert } from '../../shared/errors.js';
import { leafCount, splitRange } from '../../shared/sum/leaves.js';
import type { StepRig } from './step-rig.js';

/** Repetitions of a tape between two looks at the clock. */
const BLOCK_STEPS = 16;

/** What one thread runs in a step: its part of forward and backward, then its slice of the sum and of the update. */
interface ThreadTapes {
  readonly compute: TapeRef;
  readonly finish: TapeRef;
  readonly update: TapeRef;
  readonly cursor: number;
}

/**
 * The arithmetic of a rig's steps and nothing else: the tapes that its threads run, one after the other on the calling
 * thread, without hand-over, meetings or log. What a step takes beyond it is overhead.
 */
export class BareTapes {
  private readonly tapes: readonly ThreadTapes[];
  private position = 0;

  constructor(
    private readonly rig: StepRig,
    private readonly clock: Clock,
  ) {
    const { batch, leaf, threads } = rig.request;
    const { place, updater } = rig;
    const leaves = leafCount(batch, leaf);
    const parts = splitRange({ from: 0, to: leaves }, threads, 1).map((range) => {
      const compiler = new StepCompiler(place);
      return { compiler, ...compiler.compute(range, batch, 0) };
    });
    const { adds, tops } = planAdds(
      parts.flatMap(({ partials }) => partials),
      leaves,
    );
    const [root] = tops;
    assert(root !== undefined && tops.length === 1, 'the partial sums of a batch have one root');
    const { slices, matrices } = cutBetween(place.plan, threads);
    const { scalars } = updater.optimizer.update(
      updater.optimizer.init(),
      rig.request.recipe.optimizer.learningRate,
    );
    this.tapes = parts.map(({ compiler, tape }, thread) => {
      const slice = slices[thread] as Slice;
      place.memory.f32(compiler.space.scalars, scalars.length).set(scalars);
      const finish = compiler.finish(adds, root.slot, slice, updater);
      const update = compiler.update(root.slot, slice, updater, matrices[thread]);
      return { compute: tape, finish, update, cursor: compiler.space.cursor };
    });
  }

  /**
   * Times the tapes of each thread by themselves, for a share of a window each.
   * @returns microseconds of the thread that takes longest: what a step would take if handing over cost nothing
   */
  window(windowMs: number): number {
    return Math.max(...this.tapes.map((tapes) => this.time(tapes, windowMs / this.tapes.length)));
  }

  private time({ compute, finish, update, cursor }: ThreadTapes, windowMs: number): number {
    const { machine, place, request } = this.rig;
    const { kernels } = machine;
    const samples = place.data.manifest.samples;
    const cell = place.memory.u32(cursor, 2);
    cell[0] = place.data.order(0);
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
