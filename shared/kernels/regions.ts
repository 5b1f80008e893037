import { EXTENTS, type Extent } from './extents.js';
import { KERNEL_TABLE } from './table.js';
import type { KernelArguments, KernelName } from './tape.js';

/** Bytes of the memory that a call reads or writes. */
export interface Region {
  /** The argument that leads to them. */
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

/** One call of a tape. Offsets and integers as they are; floats by their bits, which no extent depends on. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: Readonly<Record<string, number>>;
}

const KERNELS: ReadonlyMap<number, KernelName> = new Map(
  Object.entries(KERNEL_TABLE).map(([name, { opcode }]) => [opcode, name as KernelName]),
);

/** The calls of a tape, up to its end or to the first word that begins no whole call. */
export function* callsOf(tape: Int32Array): Generator<Call> {
  let at = 0;
  while (at < tape.length) {
    const kernel = KERNELS.get(tape[at] as number);
    if (kernel === undefined) return;
    const kinds = Object.entries<string>(KERNEL_TABLE[kernel].arguments);
    if (at + kinds.length >= tape.length) return;
    const args: Record<string, number> = {};
    for (const [i, [name, kind]] of kinds.entries()) {
      const word = tape[at + 1 + i] as number;
      args[name] = kind === 'ptr' ? word >>> 0 : word;
    }
    yield { kernel, args };
    at += 1 + kinds.length;
  }
}

/**
 * What a call reads and writes. Regions that others lead to come after those: who checks each before asking for the next
 * never reads outside of the memory.
 * @param words the memory
 */
export function* regionsOf({ kernel, args }: Call, words: Uint32Array): Generator<Region> {
  // A kernel's arguments are those of its own extents.
  const extents = EXTENTS[kernel](args as never) as Readonly<Record<string, Extent>>;
  for (const [name, extent] of Object.entries(extents)) {
    const offset = args[name] as number;
    if (typeof extent === 'number') yield { name, offset, bytes: extent * 4 };
    else if (offset !== 0) yield { name, offset, bytes: extent.orNone * 4 };
  }
  if (kernel === 'gatherU8' || kernel === 'gatherU8AsI32') {
    yield* samplesOf(args as KernelArguments<typeof kernel>, 1, words);
  } else if (kernel === 'gatherWords') {
    yield* samplesOf(args as KernelArguments<typeof kernel>, 4, words);
  } else if (Object.hasOwn(extents, 'cursor') && args.cursor !== 0) {
    yield orderOf(args as unknown as SampleRows, words);
  }
}

/** The rows of a call as a cursor's samples. */
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
