import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type { GradientStats } from '../../shared/engine/passes/gradient-inspector.js';
import type { TrainResult } from '../../trainer/result.js';
import { isInstalled, launch, open, textOf } from '../support/browser.js';
import { temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

const hashOf = (stdout: string): string => (JSON.parse(stdout) as TrainResult).weightsSha256;

it('--inspect-gradients changes no weight, and writes its statistics as lines and as a page', async () => {
  const data = writeFiles(temporaryFolder(), smallData());
  const train = ['train', 'vanishing', '--data', data, '--steps', 12, '--workers', 2, '--json'];
  const folder = join(temporaryFolder(), 'run');
  const inspected = await runHere(...train, '--inspect-gradients', 5, '--run-dir', folder);
  expect(inspected.status, inspected.stderr).toBe(0);
  const plain = await runHere(...train);
  expect(hashOf(inspected.stdout)).toBe(hashOf(plain.stdout));
  expect(inspected.stderr).toMatch(/error terms vanish: .* in dense_10, .* in dense; try relu/);
  const lines = readFileSync(join(folder, 'gradients.jsonl'), 'utf8').trimEnd().split('\n');
  const inspections = lines.map((line) => JSON.parse(line) as GradientStats);
  expect(inspections.map(({ step }) => step)).toEqual([0, 5, 10]);
  expect(inspections[0]!.layers[0]!.parameters[0]!.updateRatio).toBeGreaterThan(0);
  if (!isInstalled('Chrome')) return;
  const page = await open(await launch('Chrome'), pathToFileURL(join(folder, 'gradients.html')).href);
  await page.waitForSelector('canvas');
  expect(await page.$$('canvas')).toHaveLength(5);
  expect(await textOf(page, 'body')).toContain('3 inspections, from step 1 to step 11');
});

it('--inspect-gradients reports activations that explode at the first step', async () => {
  const data = writeFiles(temporaryFolder(), smallData());
  const folder = join(temporaryFolder(), 'run');
  const ended = await runHere(
    ...['train', 'exploding', '--data', data, '--steps', 2, '--inspect-gradients', '--run-dir', folder],
  );
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stderr).toMatch(/step 1: activations explode: /);
  expect(readFileSync(join(folder, 'gradients.jsonl'), 'utf8').split('\n')).toHaveLength(2 + 1);
});
