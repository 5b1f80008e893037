import type { PartialSumBuffers } from '../coordinator/compute/partial-sum-buffers.js';
import { leavesOf } from '../shared/data/step-shape.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import type { PartialSums, Run, SumSegment } from '../shared/protocol/messages.js';
import { joinVectors, type Segment, travelWhole } from '../shared/reduction/segments.js';
import { exchangedNodes } from '../shared/reduction/shards.js';
import type { Computation, ComputeEvents } from '../worker/executor.js';
import type { LoadedRun } from '../worker/remote-executor.js';
import { ForwardedSums, type SegmentAddition } from './forwarded-sums.js';

/** What a relay was given to compute. */
type Task = Pick<Computation, 'step' | 'range'>;

/** What the relay knows of those below it. */
interface Below {
  /** Partial sums that cover the leaves of a task, and of which a segment is here. */
  readonly cover: (task: Task, segment: number) => readonly PartialSum[] | undefined;
  /** A fault of the program. */
  readonly onFailure: (error: unknown) => void;
}

/** The sums of a task that go up segment by segment. */
export interface ForwardedTask {
  readonly task: Task;
  readonly sums: ForwardedSums;
  /** The buffers of the results. The caller of `begin` releases them. */
  readonly buffers: readonly number[];
  /** @param arrived the sums that count; left out: nobody needs them @returns what is exchanged of them */
  readonly end: (arrived?: readonly PartialSum[]) => Promise<readonly PartialSum[]>;
}

/** Sends the sums of a relay's tasks up segment by segment, as those below it send theirs. */
export class Forwarding {
  private readonly tasks = new Set<ForwardedTask>();

  constructor(
    private readonly run: Run,
    private readonly loaded: LoadedRun,
    private readonly pool: PartialSumBuffers,
    private readonly below: Below,
  ) {}

  /**
   * Begins a task, before anybody below has been given anything of it.
   * @returns undefined: its sums go as a whole, as they are short, or as shards are decoded, rounded and encoded together
   */
  begin(task: Task, events: ComputeEvents): ForwardedTask | undefined {
    const { loaded, run, pool, below, tasks } = this;
    const { adder, sums: cut } = loaded;
    if (adder?.codec !== undefined) return undefined;
    const leaves = leavesOf({ samples: run.data.samples, ...run.settings }, task.step);
    const nodes = exchangedNodes(task.range, leaves, undefined);
    if (travelWhole(cut, nodes.length)) return undefined;
    const buffers = pool.take(nodes.length);
    const results = nodes.map((node, i) => ({ node, buffer: buffers[i] as number }));
    const sums = new ForwardedSums({
      segments: cut.segments.length,
      cover: (segment) => below.cover(task, segment),
      add: (addition, done) => void this.add(task, addition, buffers).then(done).catch(below.onFailure),
      copy: (segment) => joinVectors(buffers.map((buffer) => this.view(buffer, segment))).slice(),
      forward: (segments) => events.completed(results, segments),
      retract: () => events.retracted(),
    });
    const end: ForwardedTask['end'] = async (arrived) => {
      await new Promise<void>((resolve) =>
        arrived === undefined ? sums.abandon(resolve) : sums.finish(arrived, resolve),
      );
      tasks.delete(forwarded);
      return results;
    };
    const forwarded = { task, sums, buffers, end };
    tasks.add(forwarded);
    return forwarded;
  }

  /** Something has come of what a member owes. */
  arrived(message: SumSegment | PartialSums): void {
    for (const { task, sums } of this.tasks) {
      const { from, to } = message.range;
      if (task.step === message.step && task.range.from <= from && to <= task.range.to)
        sums.arrived(message.kind === 'segment' ? message.index : undefined);
    }
  }

  /** Buffers of partial sums were released. */
  released(buffers: readonly number[]): void {
    for (const { sums } of this.tasks) sums.released(buffers);
  }

  private async add(
    { step }: Task,
    { sums, segments }: SegmentAddition,
    results: readonly number[],
  ): Promise<void> {
    const { adder, sums: cut } = this.loaded;
    if (adder !== undefined) {
      const places = segments.map((index) => cut.segments[index] as Segment);
      return adder.exchangeSegments(step, sums, results, places);
    }
    // The result of a replica is passed on as it is: the coordinator adds those of all replicas.
    for (const segment of segments)
      for (const [i, { buffer }] of sums.entries())
        this.view(results[i] as number, segment).set(this.view(buffer, segment));
  }

  private view(buffer: number, segment: number): Uint8Array {
    const { sums, runMemory } = this.loaded;
    const { at, bytes } = sums.segments[segment] as Segment;
    return runMemory.memory.u8(buffer + at, bytes);
  }
}
