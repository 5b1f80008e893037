import type { Buffer, Content, Size } from './specimen.js';
import { SPECIMENS } from './specimens.js';
import type { KernelName } from './tape.js';
import { floatBits, randomWord, type ValueKind } from './values.js';

/** Lies in front of every buffer, behind it, and in outputs: a usual float's bits it is not. */
export const GUARD = 0xa5a5a5a5;
const GUARD_WORDS = 16;

/** Where a buffer lies. */
export interface Placed {
  readonly name: string;
  /** Byte offset, a multiple of 64. */
  readonly offset: number;
  readonly words: number;
  readonly isOutput: boolean;
}

/** A specimen laid out in a memory, ready to be run. */
export interface Trial {
  /** Arguments of the call, for `Tape.emit`. */
  readonly args: Readonly<Record<string, number>>;
  readonly buffers: readonly Placed[];
  /** Byte offset of what follows, guards included; a multiple of 64. */
  readonly end: number;
}

/**
 * Lays out a kernel's specimen and fills its buffers, the same way everywhere.
 * @param words the memory
 * @param start byte offset, a multiple of 64; from here to the trial's `end` everything is overwritten
 */
export function layOut(
  kernel: KernelName,
  size: Size,
  kind: ValueKind,
  words: Uint32Array,
  start: number,
): Trial {
  const args: Record<string, number> = {};
  const buffers: Placed[] = [];
  let end = start;
  let stream = nameNumber(kernel);

  const place = (name: string, buffer: Buffer): number => {
    // Buffers that this one points to come first.
    const content = resolve(buffer.content, (target) => place(`${name} target`, target));
    const offset = end + GUARD_WORDS * 4;
    end = offset + Math.ceil(buffer.words / 16) * 64 + GUARD_WORDS * 4;
    words.fill(GUARD, (offset >>> 2) - GUARD_WORDS, end >>> 2);
    const target = words.subarray(offset >>> 2, (offset >>> 2) + buffer.words);
    if (content) fill(target, content, kind, size, stream++);
    buffers.push({ name, offset, words: buffer.words, isOutput: buffer.isOutput });
    return offset;
  };
  const specimen = SPECIMENS[kernel](size) as Record<string, Buffer | number>;
  for (const [name, value] of Object.entries(specimen)) {
    args[name] = typeof value === 'number' ? value : place(name, value);
  }
  return { args, buffers, end };
}

type Plain = Exclude<Content, object> | Uint32Array;

function resolve(content: Content | undefined, placeTarget: (buffer: Buffer) => number): Plain | undefined {
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

/** A kernel's own number, which stays the same when others are added (FNV-1a). */
function nameNumber(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
