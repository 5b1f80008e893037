import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOut } from '../../shared/graph/layout.js';
import { Program, type RowTensor } from '../../shared/graph/program.js';

/** For each instruction: floats of its result, and which earlier results it reads (counted back, modulo). */
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

describe('the layout of row tensors', () => {
  it('never lets an instruction write on what is still to be read', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const { instructions } = programOf(recipe);
        const { places, floats } = layOut(instructions);
        // The dumb twin: memory in which each float knows whose it is.
        const memory = new Array<RowTensor | undefined>(floats);
        const cells = (tensor: RowTensor): number[] => {
          const at = places.get(tensor) as number;
          return Array.from({ length: tensor.elements }, (_, i) => at + i);
        };
        for (const { reads, writes, replaces } of instructions) {
          for (const tensor of reads) for (const i of cells(tensor)) expect(memory[i]).toBe(tensor);
          const [result] = writes as [RowTensor];
          const overwritten = new Set(cells(result).map((i) => memory[i]));
          for (const tensor of reads)
            if (!replaces.includes(tensor)) expect(overwritten).not.toContain(tensor);
          for (const tensor of reads) {
            if (overwritten.has(tensor)) expect(places.get(tensor)).toBe(places.get(result));
          }
          for (const i of cells(result)) memory[i] = result;
        }
      }),
    );
  });

  it('uses memory again', () => {
    const chain = Array.from({ length: 20 }, () => ({ floats: 4, replaces: false }));
    const program = programOf(chain.map((link, i) => ({ ...link, reads: i === 0 ? [] : [i - 1] })));
    expect(layOut(program.instructions).floats).toBe(8);
  });

  it('lets a result replace what it is made from, when it may', () => {
    const chain = Array.from({ length: 20 }, () => ({ floats: 4, replaces: true }));
    const program = programOf(chain.map((link, i) => ({ ...link, reads: i === 0 ? [] : [i - 1] })));
    expect(layOut(program.instructions).floats).toBe(4);
  });
});
