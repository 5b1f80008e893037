/*
 * Where row tensors lie in scratch memory. A place is free again after the last instruction that reads what is there, so
 * that a step works in as little memory as it can, most of it still in the cache.
 *
 * Places are counted in floats PER ROW and do not depend on the rows: the layout is made once, and what fits for some
 * rows fits for fewer.
 */
import { assert } from '../errors.js';
import type { RowsJob } from './job.js';
import type { Instruction, RowTensor } from './program.js';

/** Rows are counted in full groups of 16, so that every tensor begins at a multiple of 64 bytes. */
const ROW_GROUP = 16;

export interface Layout {
  /** Floats per row. */
  readonly floats: number;
  /** First float, per row, of a tensor. */
  readonly places: ReadonlyMap<RowTensor, number>;
}

interface Gap {
  at: number;
  floats: number;
}

/** Bytes of scratch memory that a layout takes for so many rows. */
export function layoutBytes(floats: number, rows: number): number {
  return floats * Math.ceil(rows / ROW_GROUP) * ROW_GROUP * 4;
}

/**
 * Lays out the tensors of a program: first fit, in the order in which they are written.
 * @param elsewhere tensors that do not live in scratch memory
 */
export function layOut(
  instructions: readonly Instruction<never>[],
  elsewhere: readonly RowTensor[] = [],
): Layout {
  const lastUse = new Map<RowTensor, number>();
  instructions.forEach(({ reads, writes }, time) => {
    for (const tensor of [...writes, ...reads]) lastUse.set(tensor, time);
  });
  const places = new Map<RowTensor, number>();
  const gaps = new Gaps();
  instructions.forEach((instruction, time) => {
    const dying = new Set(
      instruction.reads.filter((tensor) => lastUse.get(tensor) === time && places.has(tensor)),
    );
    const [first] = instruction.writes;
    for (const tensor of instruction.writes) {
      if (elsewhere.includes(tensor)) continue;
      assert(!places.has(tensor), 'a row tensor is written twice');
      const inherited = tensor === first ? heirloom(instruction, tensor, dying) : undefined;
      if (inherited !== undefined) dying.delete(inherited);
      places.set(
        tensor,
        inherited === undefined ? gaps.take(tensor.elements) : (places.get(inherited) as number),
      );
    }
    for (const tensor of instruction.writes)
      if (lastUse.get(tensor) === time && places.has(tensor)) dying.add(tensor);
    for (const tensor of dying) gaps.give({ at: places.get(tensor) as number, floats: tensor.elements });
  });
  return { floats: gaps.end, places };
}

/** The tensor whose place an instruction's result may take. */
function heirloom(
  { replaces }: Pick<Instruction<RowsJob>, 'replaces'>,
  result: RowTensor,
  dying: ReadonlySet<RowTensor>,
): RowTensor | undefined {
  return replaces.find((tensor) => dying.has(tensor) && tensor.elements === result.elements);
}

/** The free stretches below `end`, in order, never touching each other. */
class Gaps {
  end = 0;
  private gaps: Gap[] = [];

  take(floats: number): number {
    const gap = this.gaps.find((candidate) => candidate.floats >= floats);
    if (gap !== undefined) {
      const { at } = gap;
      gap.at += floats;
      gap.floats -= floats;
      this.gaps = this.gaps.filter((candidate) => candidate.floats > 0);
      return at;
    }
    const last = this.gaps.at(-1);
    const at = last !== undefined && last.at + last.floats === this.end ? last.at : this.end;
    if (at !== this.end) this.gaps.pop();
    this.end = at + floats;
    return at;
  }

  give(returned: Gap): void {
    const gaps = [...this.gaps, { ...returned }].sort((a, b) => a.at - b.at);
    this.gaps = [];
    for (const gap of gaps) {
      const before = this.gaps.at(-1);
      if (before !== undefined && before.at + before.floats === gap.at) before.floats += gap.floats;
      else this.gaps.push(gap);
    }
  }
}
