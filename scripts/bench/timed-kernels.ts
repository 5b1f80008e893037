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

/** What is done to a sum as soon as it is there. */
const LOOKS: readonly number[] = [KERNEL_TABLE.sumSquares.opcode, KERNEL_TABLE.addPenalty.opcode];

/**
 * Kernels that time what they run. A tape that begins by gathering samples is computation; of the others, those that add
 * partial sums up are the reduction, and the last of a step is the update. The engine knows nothing of it.
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
    const isReduction = addsUp(tape);
    this.kernels.run(tapeOffset, words);
    const endedMs = this.clock.nowMs();
    if (isReduction) {
      this.reduceMs += endedMs - begunMs;
      return;
    }
    this.updateMs += endedMs - begunMs;
    this.updates += 1;
    if (endedMs - this.reportedMs > REPORT_MS) {
      this.reportedMs = endedMs;
      const { thread, computeMs, reduceMs, updateMs, updates } = this;
      this.report({ thread, atMs: endedMs, computeMs, reduceMs, updateMs, updates });
    }
  }
}

/** Whether a tape ends in sums: what comes first behind the additions looks at them, or nothing comes. */
function addsUp(tape: Int32Array): boolean {
  let at = 0;
  while (at < tape.length && tape[at] === ADD.opcode) at += ADD_WORDS;
  return at === tape.length || LOOKS.includes(tape[at] as number);
}
