import { ProtocolError } from '../../shared/protocol/checked.js';
import type { PartialSums, SumSegment, WorkerToCoordinator } from '../../shared/protocol/messages.js';
import type { WatcherToCoordinator } from '../../shared/protocol/watch-messages.js';
import { SegmentArrival, travelWhole, type VectorCut } from '../../shared/reduction/segments.js';

/** Where the vectors of partial sums that come over links are stored. */
export interface SumStore {
  /** How they are cut. */
  readonly cut: VectorCut;
  /** Takes buffers for so many vectors. @throws UserError when there is no room */
  take(vectors: number): number[];
  /** Copies bytes into a vector. @param at byte offset in it */
  write(buffer: number, at: number, bytes: Uint8Array): void;
  release(buffers: readonly number[]): void;
}

/** Partial sums of one range that are arriving. */
interface Incoming {
  readonly owed: Owed;
  readonly buffers: readonly number[];
  readonly arrival: SegmentArrival;
}

/** Any message of a peer. */
type Received = WorkerToCoordinator | WatcherToCoordinator;

/** The task that partial sums are of. */
type Owed = Pick<SumSegment, 'step' | 'range'>;

/**
 * Stores partial sums of remote members as they arrive. Room is made only for what a member owes in the step under way, so
 * what members can make this machine hold is bounded by what they were given.
 */
export class IncomingSums {
  /** By member and by task. */
  private readonly incoming = new Map<string, Map<string, Incoming>>();

  /**
   * @param owedVectors how many vectors a member owes for a task in the step under way; 0: it owes nothing
   * @param isOwed whether partial sums can count
   */
  constructor(
    private readonly store: SumStore,
    private readonly owedVectors: (id: string, owed: Owed) => number,
    private readonly isOwed: (id: string, partialSums: PartialSums) => boolean,
  ) {}

  /**
   * A message has arrived.
   * @returns where the vectors of partial sums lie: in shared memory already, or copied to memory; nowhere, if they cannot count
   * @throws ProtocolError when its payload is not what it owes, UserError when there is no room
   */
  receive(id: string, message: Received, payload: Uint8Array): readonly number[] {
    if (message.kind === 'segment') this.takeSegment(id, message, payload);
    if (message.kind === 'retract') this.forgetTask(id, message);
    if (message.kind !== 'partial-sums') return [];
    return message.buffers ?? this.complete(id, message, payload);
  }

  /**
   * A segment has arrived. One that cannot count any more is dropped.
   * @throws ProtocolError when it is not one of those that are missing, UserError when there is no room
   */
  private takeSegment(id: string, { step, range, vector, index }: SumSegment, bytes: Uint8Array): void {
    const { store } = this;
    const vectors = this.owedVectors(id, { step, range });
    if (vectors === 0) return this.forgetTask(id, { step, range });
    if (travelWhole(store.cut, vectors))
      throw new ProtocolError('partial sums arrived in segments that travel whole');
    const tasks = this.incoming.get(id) ?? new Map<string, Incoming>();
    this.incoming.set(id, tasks);
    const key = keyOf({ step, range });
    let task = tasks.get(key);
    if (task === undefined) {
      task = {
        owed: { step, range },
        buffers: store.take(vectors),
        arrival: new SegmentArrival(store.cut, vectors),
      };
      tasks.set(key, task);
    }
    const problem = task.arrival.take({ vector, index }, bytes.byteLength);
    if (problem !== undefined) throw new ProtocolError(`partial sums do not fit: ${problem}`);
    store.write(task.buffers[vector] as number, store.cut.segments[index]?.at ?? 0, bytes);
  }

  /**
   * Partial sums are complete.
   * @param payload their vectors, if they travel whole
   * @returns the buffer of each; none if they cannot count, or if segments are missing
   * @throws ProtocolError when the payload is not exactly these vectors, UserError when there is no room
   */
  private complete(id: string, message: PartialSums, payload: Uint8Array): readonly number[] {
    const { store } = this;
    const { cut } = store;
    const vectors = message.nodes.length;
    if (!this.isOwed(id, message)) {
      this.forgetTask(id, message);
      return [];
    }
    const due = travelWhole(cut, vectors) ? vectors * cut.bytes : 0;
    if (payload.byteLength !== due)
      throw new ProtocolError(`partial sums of ${payload.byteLength} bytes arrived instead of ${due}`);
    if (due > 0) {
      const buffers = store.take(vectors);
      for (const [i, buffer] of buffers.entries())
        store.write(buffer, 0, payload.subarray(i * cut.bytes, (i + 1) * cut.bytes));
      return buffers;
    }
    const task = this.incoming.get(id)?.get(keyOf(message));
    if (task?.arrival.isComplete !== true) {
      this.forgetTask(id, message);
      return [];
    }
    this.incoming.get(id)?.delete(keyOf(message));
    return task.buffers;
  }

  /** The buffers of the sums that a member is sending of a task, if this segment has come of all of them. */
  arriving(id: string, task: Owed, index: number): readonly number[] | undefined {
    const found = this.incoming.get(id)?.get(keyOf(task));
    return found?.arrival.has(index) ? found.buffers : undefined;
  }

  /** A member is gone. */
  forgetMember(id: string): void {
    for (const { buffers } of this.incoming.get(id)?.values() ?? []) this.store.release(buffers);
    this.incoming.delete(id);
  }

  /** The step under way has all it needs: what is still arriving counts no more, unless it is owed all the same. */
  forgetSuperfluous(): void {
    for (const [id, tasks] of this.incoming)
      for (const { owed } of [...tasks.values()])
        if (this.owedVectors(id, owed) === 0) this.forgetTask(id, owed);
  }

  /** The run is over. */
  forgetAll(): void {
    for (const id of [...this.incoming.keys()]) this.forgetMember(id);
  }

  private forgetTask(id: string, task: Owed): void {
    const tasks = this.incoming.get(id);
    const found = tasks?.get(keyOf(task));
    if (found === undefined) return;
    tasks?.delete(keyOf(task));
    this.store.release(found.buffers);
  }
}

function keyOf({ step, range: { from, to } }: Owed): string {
  return `${step} ${from} ${to}`;
}
