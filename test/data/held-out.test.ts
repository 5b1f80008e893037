import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../shared/data/field-values.js';
import { heldOut, heldOutOf } from '../../shared/data/held-out.js';
import { csv } from '../../shared/data/tables/csv.js';
import { tableFile } from './tables/table-files.js';

describe('a split of samples', () => {
  it('follows the hash of each sample', () => {
    const samples = Array.from({ length: 200 }, (_, i) => `sample ${i}`);
    const { sides, isForced } = heldOutOf('t', samples.length, (i) => samples[i]!, { share: 0.3, seed: 4 });
    const isHeldOut = heldOut({ share: 0.3, seed: 4 });
    expect([...sides].map(Boolean)).toEqual(samples.map(isHeldOut));
    expect(isForced).toBe(false);
  });

  it('leaves no side empty, and equal samples on one side', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 2, maxLength: 8 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.nat(1000),
        (samples, share, seed) => {
          fc.pre(new Set(samples).size > 1);
          const { sides } = heldOutOf('t', samples.length, (i) => samples[i]!, { share, seed });
          expect(new Set(sides)).toEqual(new Set([0, 1]));
          const bySample = new Map(samples.map((sample, i) => [sample, sides[i]]));
          samples.forEach((sample, i) => {
            expect(sides[i]).toBe(bySample.get(sample));
          });
        },
      ),
    );
  });

  it.each([[['a']], [['a', 'a', 'a']]])('is refused for %j', (samples) => {
    expect(() => heldOutOf('t.csv', samples.length, (i) => samples[i]!)).toThrow(
      /^t\.csv: .* cannot be split into training/,
    );
  });
});

describe('repeated rows of a table', () => {
  /** Notations of the same row. */
  const spellings = (i: number): string[] => [
    `${i},x${i % 3},NA,${i % 2},1`,
    `${i}.0,x${i % 3},,${i % 2},2`,
    ` +${i} ,"x${i % 3}",n/a,${i % 2},3`,
    `${i * 10}e-1,x${i % 3},?,${i % 2},4`,
  ];

  it('are on one side, in any notation', async () => {
    const rows = Array.from({ length: 150 }, (_, i) => spellings(i)).flat();
    const lines = ['a,b,c,y,id', ...rows];
    const { train, test, features } = await csv(tableFile(lines), {
      target: 'y',
      ignore: ['id'],
      categories: ['y'],
      missing: 'mostFrequent',
      standardize: false,
    });
    expect(features).not.toContain('c');
    const width = features.length;
    const keys = (values: Float32Array) =>
      new Set(
        Array.from({ length: values.length / width }, (_, i) =>
          values.slice(i * width, (i + 1) * width).join(),
        ),
      );
    const [learned, held] = [keys(fieldValues(train, 'features')), keys(fieldValues(test!, 'features'))];
    expect(learned.size + held.size).toBe(150);
    expect([...held].filter((row) => learned.has(row))).toEqual([]);
    expect(train.manifest.samples).toBe(learned.size * 4);
  });

  it('on both sides by a split column get a note', async () => {
    const lines = ['a,y,part', '1,1,train', '2,2,train', '1.0,1,test', '3,3,test'];
    const { notes } = await csv(tableFile(lines), { target: 'y', split: { column: 'part' } });
    expect(notes.join('\n')).toContain('1 held-out row equals a training row, by the split column');
  });
});
