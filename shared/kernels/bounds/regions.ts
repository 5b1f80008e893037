import type { KernelArguments, KernelName } from '../command-buffer.js';
import { KERNEL_TABLE } from '../table.js';
import { BOUNDS, type Bound } from './bounds.js';

/** A range of the memory that a call reads or writes. */
export interface Region {
  /** The argument that leads to it. */
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

/** One call of a command buffer. Floats are given by their bits: no bound depends on them. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: Readonly<Record<string, number>>;
}

const KERNELS: ReadonlyMap<number, KernelName> = new Map(
  Object.entries(KERNEL_TABLE).map(([name, { opcode }]) => [opcode, name as KernelName]),
);

/** The calls of a command buffer, up to its end or to the first word that does not start a whole call. */
export function* callsOf(words: Int32Array): Generator<Call> {
  let at = 0;
  while (at < words.length) {
    const kernel = KERNELS.get(words[at] as number);
    if (kernel === undefined) return;
    const kinds = Object.entries<string>(KERNEL_TABLE[kernel].arguments);
    if (at + kinds.length >= words.length) return;
    const args: Record<string, number> = {};
    for (const [i, [name, kind]] of kinds.entries()) {
      const word = words[at + 1 + i] as number;
      args[name] = kind === 'ptr' ? word >>> 0 : word;
    }
    yield { kernel, args };
    at += 1 + kinds.length;
  }
}

/**
 * The regions that a call reads and writes. A region that is found by reading another one comes after it: a caller that
 * checks each region before it asks for the next never reads outside of the memory.
 * @param words the memory
 */
export function* regionsOf({ kernel, args }: Call, words: Uint32Array): Generator<Region> {
  // The arguments of a kernel are those that its own bounds take.
  const bounds = BOUNDS[kernel](args as never) as Readonly<Record<string, Bound>>;
  for (const [name, bound] of Object.entries(bounds)) {
    const offset = args[name] as number;
    if (typeof bound === 'number') yield { name, offset, bytes: bound * 4 };
    else if (offset !== 0) yield { name, offset, bytes: bound.orNone * 4 };
  }
  if (kernel === 'gatherU8' || kernel === 'gatherU8AsI32') {
    yield* samplesOf(args as KernelArguments<typeof kernel>, 1, words);
  } else if (kernel === 'gatherWords') {
    yield* samplesOf(args as KernelArguments<typeof kernel>, 4, words);
  } else if (Object.hasOwn(bounds, 'cursor') && args.cursor !== 0) {
    yield orderOf(args as unknown as SampleRows, words);
  }
}

/** The rows of a call, as samples of a cursor. */
type SampleRows = Pick<KernelArguments<'gatherWords'>, 'cursor' | 'first' | 'rows'>;

/** The sample ids that a cursor leads to. */
function orderOf({ cursor, first, rows }: SampleRows, words: Uint32Array): Region {
  const at = cursor >>> 2;
  const [order, position] = [words[at] as number, words[at + 1] as number];
  return { name: 'cursor: order', offset: order + (position + first) * 4, bytes: rows * 4 };
}

/** The sample ids, chunk offsets and fields that a gather reads; see c/gather.c. */
function* samplesOf(
  args: KernelArguments<'gatherWords'>,
  elementBytes: number,
  words: Uint32Array,
): Generator<Region> {
  const order = orderOf(args, words);
  yield order;
  const firstId = order.offset >>> 2;
  for (const id of words.subarray(firstId, firstId + args.rows)) {
    const chunk = Math.floor(id / args.chunkSamples);
    yield { name: `chunkTable[${chunk}]`, offset: args.chunkTable + chunk * 4, bytes: 4 };
    const record =
      (words[(args.chunkTable >>> 2) + chunk] as number) + (id % args.chunkSamples) * args.recordBytes;
    yield { name: `sample ${id}`, offset: record + args.fieldOffset, bytes: args.elements * elementBytes };
  }
}
