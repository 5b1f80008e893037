import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/process.js';
import { trainedAlike } from '../../support/trained-alike.js';

/** Three runs. */
const TIMEOUT_MS = 120_000;

it(
  'summarise: the same bits and metrics by 1, 2 and 3 workers and every build',
  async () => {
    const data = join(temporaryFolder(), 'texts.jsonl');
    const words = 'one two three four five six seven eight nine ten eleven'.split(' ');
    // Eight of 200 sources are held out.
    const lines = Array.from({ length: 200 }, (_, i) => {
      const [a, b] = [i, i * i + 1].map((number) => words[number % 11]);
      const source = `${i}`.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] as string);
      return JSON.stringify({ name: source, source, long: `${a} ${b} ${source}. More.`, short: `${a} ${b}` });
    });
    writeFileSync(data, lines.join('\n'));
    const metrics = await trainedAlike('summarise', data);
    // The first sentence has both words of the short text, and one more.
    expect(metrics.leadRougeL).toBeCloseTo(0.8, 9);
    expect(metrics.rougeL).toBeLessThan(0.4);
  },
  TIMEOUT_MS,
);
