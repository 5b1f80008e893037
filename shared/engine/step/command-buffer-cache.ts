import { UserError } from '../../errors.js';
import { CommandBuffer } from '../../kernels/command-buffer.js';
import type { ComputeMemory } from '../memory.js';
import type { CommandBufferRef } from '../threads/thread-job.js';

/** Bytes of each of a cache's two regions at first. One step of a large model takes some ten thousand words. */
const REGION_BYTES = 1 << 20;
/** Most bytes of one command buffer: 3 million calls, some seconds of a thread. */
const COMMAND_BUFFER_BYTES_MAX = 64 * REGION_BYTES;
/** Bytes of both regions at first. */
export const COMMAND_BUFFER_BYTES = 2 * REGION_BYTES;

/**
 * Command buffers in shared memory by key, each written once. When a region is full, the cache forgets all of them and
 * goes on in the other region, so its size is bounded however many ranges a run assigns. A region grows for a command
 * buffer that is larger: that of a network of thousands of layers, or of a recurrent one with thousands of timesteps.
 *
 * A command buffer stays valid until a whole region of others has been written after it. The command buffers of one step
 * are requested together, and the first must stay valid until the last is written.
 */
export class CommandBufferCache {
  private readonly regions: [Region, Region];
  /** The region that is being filled. Command buffers in the other region are forgotten, but still valid. */
  private current: 0 | 1 = 0;
  private readonly known = new Map<string, CommandBufferRef>();
  private used = 0;

  constructor(private readonly memory: ComputeMemory) {
    this.regions = [this.allocate(REGION_BYTES), this.allocate(REGION_BYTES)];
  }

  /**
   * The command buffer with this key; `emit` writes it if it is not cached.
   * @throws UserError when it is too large
   */
  get(key: string, emit: (commandBuffer: CommandBuffer) => void): CommandBufferRef {
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const commandBuffer = new CommandBuffer();
    emit(commandBuffer);
    const words = commandBuffer.words();
    const bytes = words.byteLength;
    if (bytes > COMMAND_BUFFER_BYTES_MAX)
      throw new UserError(
        `the network takes too many operations a step: a command buffer of ${mebibytes(bytes)} MiB, more than ` +
          `${mebibytes(COMMAND_BUFFER_BYTES_MAX)}; use fewer layers or timesteps, or a smaller batch`,
      );
    if (this.used + bytes > this.regions[this.current].bytes) this.forget();
    if (bytes > this.regions[this.current].bytes) this.regions[this.current] = this.allocate(roundUp(bytes));
    const offset = this.regions[this.current].offset + this.used;
    this.memory.i32(offset, words.length).set(words);
    this.used += (words.byteLength + 63) & ~63;
    const made = { offset, words: words.length };
    this.known.set(key, made);
    return made;
  }

  /** Forgets all command buffers, for example when the memory that they refer to has moved. */
  forget(): void {
    this.known.clear();
    this.used = 0;
    this.current = this.current === 0 ? 1 : 0;
  }

  private allocate(bytes: number): Region {
    return { offset: this.memory.allocate(bytes, 'command buffers'), bytes };
  }
}

/** A part of the memory. */
interface Region {
  readonly offset: number;
  readonly bytes: number;
}

/** A power of two, so that a region grows a few times at most. */
function roundUp(bytes: number): number {
  let rounded = REGION_BYTES;
  while (rounded < bytes) rounded *= 2;
  return rounded;
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
