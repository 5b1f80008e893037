import type { Clock } from '../../shared/actor/clock.js';
import type { Kernels } from '../../shared/kernels/kernels.js';
import { KERNEL_TABLE } from '../../shared/kernels/table.js';
import type { ThreadTimes } from './thread-times.js';

/** Between two reports of a thread. */
const REPORT_MS = 20;

const ADD = KERNEL_TABLE.addVectors;
const ADD_WORDS = 1 + Object.keys(ADD.arguments).length;
/** A forward pass begins with its samples: no other tape has these calls in front. */
const GATHERS: readonly number[] = [
  KERNEL_TABLE.gatherU8.opcode,
  KERNEL_TABLE.gatherU8AsI32.opcode,
  KERNEL_TABLE.gatherWords.opcode,
];

/**
 * Kernels that time what they run. A tape that begins by gathering samples is computation; any other one is the end of a
 * step: additions of partial sums, and then the update. The engine knows nothing of it.
 */
export class TimedKernels implements Kernels {
  private computeMs = 0;
  private reduceMs = 0;
  private updateMs = 0;
  private updates = 0;
  private reportedMs = Number.NEGATIVE_INFINITY;

  /** @param report told some times a second what the thread has spent so far */
  constructor(
    private readonly kernels: Kernels,
    private readonly memory: WebAssembly.Memory,
    private readonly thread: number,
    private readonly clock: Clock,
    private readonly report: (times: ThreadTimes) => void,
  ) {}

  get backend(): Kernels['backend'] {
    return this.kernels.backend;
  }

  get detail(): string {
    return this.kernels.detail;
  }

  run(tapeOffset: number, words: number): void {
    const begunMs = this.clock.nowMs();
    const tape = new Int32Array(this.memory.buffer, tapeOffset, words);
    if (GATHERS.includes(tape[0] as number)) {
      this.kernels.run(tapeOffset, words);
      this.computeMs += this.clock.nowMs() - begunMs;
      return;
    }
    const adds = leadingAdds(tape);
    if (adds > 0) this.kernels.run(tapeOffset, adds);
    const addedMs = this.clock.nowMs();
    this.reduceMs += addedMs - begunMs;
    if (adds === words) return;
    this.kernels.run(tapeOffset + adds * 4, words - adds);
    const endedMs = this.clock.nowMs();
    this.updateMs += endedMs - addedMs;
    this.updates += 1;
    if (endedMs - this.reportedMs > REPORT_MS) {
      this.reportedMs = endedMs;
      const { thread, computeMs, reduceMs, updateMs, updates } = this;
      this.report({ thread, atMs: endedMs, computeMs, reduceMs, updateMs, updates });
    }
  }
}

/** Words of the additions that a tape begins with. */
function leadingAdds(tape: Int32Array): number {
  let at = 0;
  while (at < tape.length && tape[at] === ADD.opcode) at += ADD_WORDS;
  return at;
}
