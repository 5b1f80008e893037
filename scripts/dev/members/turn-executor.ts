import type { PartialSum } from '../../../shared/engine/step/partial-sum-addition.js';
import type { Run } from '../../../shared/protocol/messages.js';
import type { SegmentPlace, VectorCut } from '../../../shared/reduction/segments.js';
import { Arrivals } from '../../../worker/arrivals.js';
import { DelegatingExecutor } from '../../../worker/delegating-executor.js';
import type {
  Arriving,
  Computation,
  Computed,
  ComputeEvents,
  Prepared,
  Vectors,
} from '../../../worker/executor.js';
import type { RemoteExecutor } from '../../../worker/remote-executor.js';

/** Members that compute one after the other with the same memory and threads. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** Waits for its turn. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }
}

/**
 * The executor of one of many members in a process: it keeps the weights that it was sent, and computes with them in its turn. Thus
 * each member is worth what its connection and its state cost, and its sums are right.
 */
export class TurnExecutor extends DelegatingExecutor {
  private readonly arrivals = new Arrivals();
  private readonly weights: { readonly place: SegmentPlace; readonly bytes: Uint8Array }[] = [];
  private expected: Vectors | undefined;
  private sums: { readonly cut: VectorCut; readonly views: readonly Uint8Array[] } | undefined;

  constructor(
    inner: RemoteExecutor,
    private readonly turns: Turns,
    private readonly onPrepared: () => void,
  ) {
    super(inner);
  }

  override async prepare(run: Run): Promise<Prepared> {
    const prepared = await super.prepare(run);
    this.expected = prepared.weights;
    this.onPrepared();
    return prepared;
  }

  override expect(_: Arriving): void {
    this.weights.length = 0;
    if (this.expected !== undefined) this.arrivals.expect(this.expected);
  }

  override load(place: SegmentPlace, bytes: Uint8Array): void {
    this.weights.push({ place, bytes: bytes.slice() });
    this.arrivals.arrived(place);
  }

  override stopWaiting(): void {
    this.arrivals.stopWaiting();
  }

  override async compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    await this.arrivals.here();
    return this.turns.take(async () => {
      super.expect('weights');
      for (const { place, bytes } of this.weights) super.load(place, bytes);
      // Nobody needs the sums of weights that never came.
      super.stopWaiting();
      const computed = await super.compute(computation, {
        ...events,
        nowMs: events.nowMs,
        completed: () => {},
      });
      const sums = computed && super.vectors(computed.partialSums);
      this.sums = sums && { cut: sums.cut, views: sums.views.map((view) => view.slice()) };
      return computed;
    });
  }

  /** Another member may be at work. */
  override interrupt(): void {
    this.stopWaiting();
  }

  override vectors(_: readonly PartialSum[]): ReturnType<DelegatingExecutor['vectors']> {
    return this.sums;
  }
}
