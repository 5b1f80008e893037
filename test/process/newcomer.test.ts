import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { TrainResult } from '../../trainer/result.js';
import { start, temporaryFolder } from '../support/process.js';

/* The path of a newcomer with a table of customers, 8% of whom leave: inspect, train, predict. */
const HEADER = 'customer_id,name,joined,last_order,age,spend,plan,region,leaves';
const PLANS = ['basic', 'plus', 'premium'];
const REGIONS = ['north', 'south', 'east', 'west'];

function customers(count: number, seed: number): string[][] {
  const random = new SeededRandom(seed);
  const date = () => `202${random.below(5)}-0${1 + random.below(9)}-${10 + random.below(18)}`;
  return Array.from({ length: count }, (_, i) => {
    const spend = random.below(100);
    const plan = random.below(3);
    // Those who spend least on the basic plan leave, and some others.
    const leaves = (spend < 20 && plan === 0) || random.below(80) === 0;
    return [
      `C${100000 + seed * 10000 + i}`,
      `Customer ${random.below(1e9)}`,
      date(),
      date(),
      random.below(20) === 0 ? '' : String(18 + random.below(60)),
      random.below(30) === 0 ? 'NA' : `${spend}.5`,
      PLANS[plan] as string,
      REGIONS[random.below(4)] as string,
      leaves ? 'yes' : 'no',
    ];
  });
}

it('a table of customers: from inspect to predict --out', async () => {
  const folder = temporaryFolder();
  const write = (file: string, header: string, rows: string[][]) =>
    writeFileSync(join(folder, file), [header, ...rows.map((row) => row.join(','))].join('\n'));
  write('customers.csv', HEADER, customers(5000, 1));
  const unlabelled = customers(200, 2);
  write(
    'new.csv',
    HEADER.replace(',leaves', ''),
    unlabelled.map((row) => row.slice(0, -1)),
  );
  const say = async (...words: (string | number)[]) => {
    const ended = await start(words, folder).ended;
    expect(ended.status, ended.stderr).toBe(0);
    return ended;
  };
  await say('inspect', 'customers.csv', '--target', 'leaves', '--recipe', 'leaves.ts');
  const { stdout } = await say('train', './leaves.ts', '--run-dir', 'run', '--json');
  // Those who leave at random cannot be foretold: 8% leave, and 1% of all at random.
  expect((JSON.parse(stdout) as TrainResult).metrics.testAccuracy).toBeGreaterThan(0.95);
  await say('predict', 'run', 'new.csv', '--out', 'predictions.csv');
  const [head, ...lines] = readFileSync(join(folder, 'predictions.csv'), 'utf8').trimEnd().split('\n');
  expect(head).toBe('customer_id,class,probability');
  expect(lines.map((line) => line.split(',')[0])).toEqual(unlabelled.map(([id]) => id));
  const right = lines.filter((line, i) => line.split(',')[1] === unlabelled[i]?.at(-1));
  expect(right.length).toBeGreaterThan(180);
}, 120_000);
