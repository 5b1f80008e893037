/*
 * Scratch memory for the row tensors of a program. The memory of a tensor is free again after the last instruction that
 * reads it, so that a step works in as little memory as possible, most of it still in the cache.
 *
 * Offsets are counted in floats PER ROW and do not depend on the number of rows: the layout is computed once, and memory
 * that is enough for some rows is enough for fewer.
 */
import { assert } from '../errors.js';
import type { KernelSink } from '../graph/ops/op.js';
import type { BatchRows } from './batch-rows.js';
import type { EmitContext, Instruction, Program, RowTensor } from './program.js';

/** Floats per row are rounded up to a multiple of this, so that every tensor starts at a multiple of 64 bytes. */
const ALIGNMENT = 16;

/** Consecutive instructions, from `from` up to, and without, `to`. */
export interface InstructionRange {
  readonly from: number;
  readonly to: number;
}

/** A program with scratch memory for its row tensors, ready to be emitted. */
export class AllocatedProgram<R extends BatchRows> {
  private readonly layout: ScratchLayout;

  /**
   * @param external a row tensor outside of scratch memory, and its byte offset for a range
   */
  constructor(
    private readonly program: Program<R>,
    private readonly external?: { readonly tensor: RowTensor; readonly offset: (range: R) => number },
  ) {
    this.layout = allocateScratch(program.instructions, external === undefined ? [] : [external.tensor]);
  }

  /** Bytes of scratch memory for `rows` rows. */
  scratchBytes(rows: number): number {
    return bytesOf(this.layout.floats, rows) + this.program.extraFloats(rows) * 4;
  }

  get instructions(): readonly Instruction<R>[] {
    return this.program.instructions;
  }

  /** Emits the kernel calls of the program for a range of rows. @param part some of its instructions; left out: all of them */
  emit(to: KernelSink, range: R, part: InstructionRange = { from: 0, to: this.instructions.length }): void {
    const { floats, offsets } = this.layout;
    const at = (tensor: RowTensor | undefined): number => {
      if (tensor === undefined) return 0;
      if (tensor === this.external?.tensor) return this.external.offset(range);
      const offset = offsets.get(tensor);
      assert(offset !== undefined, 'a row tensor is used that no instruction writes');
      return range.scratch + bytesOf(offset, range.rows);
    };
    const context: EmitContext<R> = { range, at, extra: range.scratch + bytesOf(floats, range.rows) };
    for (const instruction of this.instructions.slice(part.from, part.to)) instruction.emit(to, context);
  }
}

/** Bytes of `floats` floats per row. */
function bytesOf(floats: number, rows: number): number {
  return floats * rows * 4;
}

/** Floats per row that a tensor takes. */
function roomOf({ elements }: RowTensor): number {
  return Math.ceil(elements / ALIGNMENT) * ALIGNMENT;
}

export interface ScratchLayout {
  /** Floats per row. */
  readonly floats: number;
  /** First float of a tensor, per row. */
  readonly offsets: ReadonlyMap<RowTensor, number>;
}

/**
 * Allocates the tensors of a program: first fit, in the order in which they are written.
 * @param external tensors outside of scratch memory
 */
export function allocateScratch(
  instructions: readonly Instruction<never>[],
  external: readonly RowTensor[] = [],
): ScratchLayout {
  const lastUse = new Map<RowTensor, number>();
  instructions.forEach(({ reads, writes }, time) => {
    for (const tensor of [...writes, ...reads]) lastUse.set(tensor, time);
  });
  const offsets = new Map<RowTensor, number>();
  const free = new FreeList();
  instructions.forEach((instruction, time) => {
    const lastUsed = new Set(
      instruction.reads.filter((tensor) => lastUse.get(tensor) === time && offsets.has(tensor)),
    );
    const [first] = instruction.writes;
    for (const tensor of instruction.writes) {
      if (external.includes(tensor)) continue;
      assert(!offsets.has(tensor), 'a row tensor is written twice');
      const source = tensor === first ? inPlaceSource(instruction, tensor, lastUsed) : undefined;
      if (source !== undefined) lastUsed.delete(source);
      offsets.set(
        tensor,
        source === undefined ? free.allocate(roomOf(tensor)) : (offsets.get(source) as number),
      );
    }
    for (const tensor of instruction.writes)
      if (lastUse.get(tensor) === time && offsets.has(tensor)) lastUsed.add(tensor);
    for (const tensor of lastUsed)
      free.release({ at: offsets.get(tensor) as number, floats: roomOf(tensor) });
  });
  return { floats: free.end, offsets };
}

/** The tensor whose memory the result of an instruction may use. */
function inPlaceSource(
  { replaces }: Pick<Instruction<BatchRows>, 'replaces'>,
  result: RowTensor,
  lastUsed: ReadonlySet<RowTensor>,
): RowTensor | undefined {
  return replaces.find((tensor) => lastUsed.has(tensor) && tensor.elements === result.elements);
}

interface FreeBlock {
  at: number;
  floats: number;
}

/** The free blocks below `end`, in order; adjacent ones are merged. */
class FreeList {
  end = 0;
  private blocks: FreeBlock[] = [];

  allocate(floats: number): number {
    const block = this.blocks.find((candidate) => candidate.floats >= floats);
    if (block !== undefined) {
      const { at } = block;
      block.at += floats;
      block.floats -= floats;
      this.blocks = this.blocks.filter((candidate) => candidate.floats > 0);
      return at;
    }
    const last = this.blocks.at(-1);
    const at = last !== undefined && last.at + last.floats === this.end ? last.at : this.end;
    if (at !== this.end) this.blocks.pop();
    this.end = at + floats;
    return at;
  }

  release(released: FreeBlock): void {
    const blocks = [...this.blocks, { ...released }].sort((a, b) => a.at - b.at);
    this.blocks = [];
    for (const block of blocks) {
      const before = this.blocks.at(-1);
      if (before !== undefined && before.at + before.floats === block.at) before.floats += block.floats;
      else this.blocks.push(block);
    }
  }
}
