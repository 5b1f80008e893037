import { BroadcastChannel } from 'node:worker_threads';

/** Name of the channel on which timed threads report their times. */
const CHANNEL = 'unisum-thread-times';

/** Milliseconds that a thread has spent since it started, and its number of updates. */
export interface ThreadTimes {
  readonly thread: number;
  /** Time of the report: the end of the latest update. */
  readonly atMs: number;
  readonly computeMs: number;
  readonly reduceMs: number;
  readonly updateMs: number;
  readonly updates: number;
}

/** Milliseconds per step, mean over the threads. */
export interface StepSplit {
  /** The whole step. */
  readonly stepMs: number;
  readonly computeMs: number;
  readonly reduceMs: number;
  readonly updateMs: number;
}

/** Opens the channel in a thread that reports. */
export function openThreadTimes(): BroadcastChannel {
  return new BroadcastChannel(CHANNEL);
}

/** Listens to the timed threads of this process. Only one may listen at a time, to one thread pool. */
export class ThreadTimesRecorder {
  private readonly channel = openThreadTimes();
  private readonly first = new Map<number, ThreadTimes>();
  private readonly latest = new Map<number, ThreadTimes>();

  constructor() {
    this.channel.onmessage = (event) => {
      const { data } = event as { data: ThreadTimes };
      if (!this.first.has(data.thread)) this.first.set(data.thread, data);
      this.latest.set(data.thread, data);
    };
  }

  /** Time of a step between the first and the latest report of each thread; undefined after too few reports. */
  split(): StepSplit | undefined {
    const parts = [...this.latest.values()].map((latest) => split(this.first.get(latest.thread), latest));
    const known = parts.filter((part) => part !== undefined);
    if (known.length === 0) return undefined;
    const mean = (of: (part: StepSplit) => number): number =>
      known.reduce((sum, part) => sum + of(part), 0) / known.length;
    return {
      stepMs: mean((part) => part.stepMs),
      computeMs: mean((part) => part.computeMs),
      reduceMs: mean((part) => part.reduceMs),
      updateMs: mean((part) => part.updateMs),
    };
  }

  close(): void {
    this.channel.close();
  }
}

function split(first: ThreadTimes | undefined, latest: ThreadTimes): StepSplit | undefined {
  const steps = latest.updates - (first?.updates ?? 0);
  if (first === undefined || steps <= 0) return undefined;
  return {
    stepMs: (latest.atMs - first.atMs) / steps,
    computeMs: (latest.computeMs - first.computeMs) / steps,
    reduceMs: (latest.reduceMs - first.reduceMs) / steps,
    updateMs: (latest.updateMs - first.updateMs) / steps,
  };
}
