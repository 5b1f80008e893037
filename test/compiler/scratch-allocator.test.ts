import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Program, type RowTensor } from '../../shared/compiler/program.js';
import { allocateScratch } from '../../shared/compiler/scratch-allocator.js';

/** For each instruction: floats of its result, and the earlier results that it reads (indices modulo their number). */
const recipes = fc.array(
  fc.record({
    floats: fc.integer({ min: 1, max: 9 }),
    reads: fc.array(fc.nat(), { maxLength: 3 }),
    replaces: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

type Recipe = typeof recipes extends fc.Arbitrary<infer R> ? R : never;

function programOf(recipe: Recipe): Program<never> {
  const program = new Program<never>();
  const results: RowTensor[] = [];
  for (const { floats, reads, replaces } of recipe) {
    const read = results.length === 0 ? [] : reads.map((i) => results[i % results.length] as RowTensor);
    const result = program.rowTensor(floats);
    program.add({ reads: read, writes: [result], replaces: replaces ? read : [], emit() {} });
    results.push(result);
  }
  return program;
}

describe('allocateScratch', () => {
  it('never lets an instruction overwrite what is still to be read', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const { instructions } = programOf(recipe);
        const { offsets, floats } = allocateScratch(instructions);
        // Reference: a memory that records the tensor of each float.
        const memory = new Array<RowTensor | undefined>(floats);
        const cells = (tensor: RowTensor): number[] => {
          const at = offsets.get(tensor) as number;
          return Array.from({ length: tensor.elements }, (_, i) => at + i);
        };
        for (const { reads, writes, replaces } of instructions) {
          for (const tensor of reads) for (const i of cells(tensor)) expect(memory[i]).toBe(tensor);
          const [result] = writes as [RowTensor];
          const overwritten = new Set(cells(result).map((i) => memory[i]));
          for (const tensor of reads)
            if (!replaces.includes(tensor)) expect(overwritten).not.toContain(tensor);
          for (const tensor of reads) {
            if (overwritten.has(tensor)) expect(offsets.get(tensor)).toBe(offsets.get(result));
          }
          for (const i of cells(result)) memory[i] = result;
        }
      }),
    );
  });

  it('aligns every tensor to 64 bytes for any number of rows', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const { offsets, floats } = allocateScratch(programOf(recipe).instructions);
        for (const at of [...offsets.values(), floats]) expect(at % 16).toBe(0);
      }),
    );
  });

  it('reuses memory', () => {
    const chain = Array.from({ length: 20 }, () => ({ floats: 16, replaces: false }));
    const program = programOf(chain.map((link, i) => ({ ...link, reads: i === 0 ? [] : [i - 1] })));
    expect(allocateScratch(program.instructions).floats).toBe(32);
  });

  it('writes a result over its input where the instruction allows it', () => {
    const chain = Array.from({ length: 20 }, () => ({ floats: 16, replaces: true }));
    const program = programOf(chain.map((link, i) => ({ ...link, reads: i === 0 ? [] : [i - 1] })));
    expect(allocateScratch(program.instructions).floats).toBe(16);
  });
});
