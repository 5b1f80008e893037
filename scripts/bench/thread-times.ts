import { BroadcastChannel } from 'node:worker_threads';

/** Name of the channel on which timed threads tell what they spent their time on. */
const CHANNEL = 'unisum-thread-times';

/** What a thread has spent since it started, in milliseconds, and on how many updates. */
export interface ThreadTimes {
  readonly thread: number;
  /** When this was told: the end of the latest update. */
  readonly atMs: number;
  readonly computeMs: number;
  readonly reduceMs: number;
  readonly updateMs: number;
  readonly updates: number;
}

/** Milliseconds per step, on average over the threads. */
export interface StepSplit {
  /** The whole step. */
  readonly stepMs: number;
  readonly computeMs: number;
  readonly reduceMs: number;
  readonly updateMs: number;
}

/** The channel, for the thread that tells. */
export function openThreadTimes(): BroadcastChannel {
  return new BroadcastChannel(CHANNEL);
}

/** Listens to the timed threads of this process. One may listen at a time, to one team. */
export class ThreadTimesWatch {
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

  /** What a step took between the first and the latest news of each thread; undefined when there were too few. */
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
