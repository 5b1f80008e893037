import type { Clock } from '../../shared/actor/clock.js';
import type { Kernels } from '../../shared/kernels/kernels.js';
import { KERNEL_TABLE } from '../../shared/kernels/table.js';
import type { ThreadTimes } from './thread-times.js';

/** Time between two reports of a thread. */
const REPORT_MS = 20;

const ADD = KERNEL_TABLE.addVectors;
const ADD_WORDS = 1 + Object.keys(ADD.arguments).length;
/** Calls that gather samples: only command buffers of forward passes begin with them. */
const GATHERS: readonly number[] = [
  KERNEL_TABLE.gatherU8.opcode,
  KERNEL_TABLE.gatherU8AsI32.opcode,
  KERNEL_TABLE.gatherWords.opcode,
];

/** Calls that read a sum as soon as it is complete. */
const SUM_READERS: readonly number[] = [KERNEL_TABLE.sumSquares.opcode, KERNEL_TABLE.addPenalty.opcode];

/**
 * Kernels that time the command buffers they run. A command buffer that begins by gathering samples is computation. Of
 * the others, those that add partial sums are the reduction, and the last one of a step is the update. The engine
 * itself does not read the clock.
 */
export class TimedKernels implements Kernels {
  private computeMs = 0;
  private reduceMs = 0;
  private updateMs = 0;
  private updates = 0;
  private reportedMs = Number.NEGATIVE_INFINITY;

  /** @param report called every REPORT_MS with the times of the thread so far */
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

  run(commandBufferOffset: number, words: number): void {
    const begunMs = this.clock.nowMs();
    const commandBuffer = new Int32Array(this.memory.buffer, commandBufferOffset, words);
    if (GATHERS.includes(commandBuffer[0] as number)) {
      this.kernels.run(commandBufferOffset, words);
      this.computeMs += this.clock.nowMs() - begunMs;
      return;
    }
    const isReduction = isReductionBuffer(commandBuffer);
    this.kernels.run(commandBufferOffset, words);
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

/** Whether a command buffer only adds: its first call after the additions reads the sum, or there is none. */
function isReductionBuffer(commandBuffer: Int32Array): boolean {
  let at = 0;
  while (at < commandBuffer.length && commandBuffer[at] === ADD.opcode) at += ADD_WORDS;
  return at === commandBuffer.length || SUM_READERS.includes(commandBuffer[at] as number);
}
