import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/process.js';
import { trainedAlike } from '../../support/trained-alike.js';

/** Three runs, with a dictionary each. */
const TIMEOUT_MS = 120_000;

it(
  'translate: the same bits and metrics by 1, 2 and 3 workers and every build',
  async () => {
    const data = temporaryFolder();
    const write = (name: string, words: readonly string[]) => {
      // Enough that 25 are held out.
      const lines = Array.from({ length: 1800 }, (_, i) =>
        [i, i * i + 1, i * 3, i * i * i, i + 5].map((number) => words[number % 11]).join(' '),
      );
      writeFileSync(join(data, name), `${lines.join('\n')}\n`);
    };
    write('source.txt', 'one two three four five six seven eight nine ten eleven'.split(' '));
    write('target.txt', 'uno dos tres cuatro cinco seis siete ocho nueve diez once'.split(' '));
    const metrics = await trainedAlike('translate', data);
    // Every word has one translation, so the dictionary is right and an untrained network is wrong.
    expect(metrics.dictionaryBleu).toBe(1);
    expect(metrics.bleu).toBeLessThan(0.1);
  },
  TIMEOUT_MS,
);
