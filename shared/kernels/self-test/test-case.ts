import type { KernelName } from '../command-buffer.js';
import type { Content, Size, TestBuffer } from './test-vector.js';
import { TEST_VECTORS } from './test-vectors.js';
import { floatBits, randomWord, type ValueKind } from './values.js';

/** Fills the guards before and after every buffer, and outputs; the bits of an unusual float. */
export const GUARD = 0xa5a5a5a5;
const GUARD_WORDS = 16;

/** A buffer in memory. */
export interface PlacedBuffer {
  readonly name: string;
  /** Byte offset, a multiple of 64. */
  readonly offset: number;
  readonly words: number;
  readonly isOutput: boolean;
}

/** A test vector whose buffers are placed in memory and filled. */
export interface TestCase {
  /** Arguments of the call, for `CommandBuffer.emit`. */
  readonly args: Readonly<Record<string, number>>;
  readonly buffers: readonly PlacedBuffer[];
  /** Byte offset of the first byte after the last guard; a multiple of 64. */
  readonly end: number;
}

/**
 * Places the buffers of the test vector of a kernel in memory and fills them, with the same contents on every machine.
 * @param words the memory
 * @param start byte offset, a multiple of 64; everything from here to `end` of the result is overwritten
 */
export function placeTestCase(
  kernel: KernelName,
  size: Size,
  kind: ValueKind,
  words: Uint32Array,
  start: number,
): TestCase {
  const args: Record<string, number> = {};
  const buffers: PlacedBuffer[] = [];
  let end = start;
  let stream = nameHash(kernel);

  const place = (name: string, buffer: TestBuffer): number => {
    // Buffers that this one points to are placed first.
    const content = resolve(buffer.content, (target) => place(`${name} target`, target));
    const offset = end + GUARD_WORDS * 4;
    end = offset + Math.ceil(buffer.words / 16) * 64 + GUARD_WORDS * 4;
    words.fill(GUARD, (offset >>> 2) - GUARD_WORDS, end >>> 2);
    const target = words.subarray(offset >>> 2, (offset >>> 2) + buffer.words);
    if (content) fill(target, content, kind, size, stream++);
    buffers.push({ name, offset, words: buffer.words, isOutput: buffer.isOutput });
    return offset;
  };
  const testVector = TEST_VECTORS[kernel](size) as Record<string, TestBuffer | number>;
  for (const [name, value] of Object.entries(testVector)) {
    args[name] = typeof value === 'number' ? value : place(name, value);
  }
  return { args, buffers, end };
}

type Plain = Exclude<Content, object> | Uint32Array;

function resolve(
  content: Content | undefined,
  placeTarget: (buffer: TestBuffer) => number,
): Plain | undefined {
  if (typeof content !== 'object') return content;
  if ('floats' in content) return new Uint32Array(Float32Array.from(content.floats).buffer);
  return Uint32Array.from(content.words, (word) => (typeof word === 'number' ? word : placeTarget(word)));
}

const cast = new DataView(new ArrayBuffer(4));

function fill(target: Uint32Array, content: Plain, kind: ValueKind, { cols }: Size, stream: number): void {
  if (typeof content === 'object') {
    target.set(content);
    return;
  }
  for (let i = 0; i < target.length; i++) {
    const word = randomWord(stream, i);
    switch (content) {
      case 'value':
        target[i] = floatBits(kind, word);
        break;
      case 'positive':
        target[i] = floatBits(kind, word) & 0x7fffffff;
        break;
      case 'probability':
        cast.setFloat32(0, (word >>> 8) / 2 ** 24);
        target[i] = cast.getUint32(0);
        break;
      case 'digit':
        cast.setFloat32(0, word % 4);
        target[i] = cast.getUint32(0);
        break;
      case 'label':
        target[i] = word % (cols + 1);
        break;
      case 'byte':
        target[i] = word;
    }
  }
}

/** A number for each kernel name that does not change when kernels are added (FNV-1a). */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
