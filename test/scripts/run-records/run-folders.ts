import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHAIN_START, chained } from '../../../coordinator/storage/metrics-chain.js';
import type { MetricsRecord } from '../../../coordinator/storage/record-text.js';
import { writeRunConfig } from '../../../coordinator/storage/run-config.js';

export const HASH = (digit: string): string => digit.repeat(64);

/** The first line of a record. */
export function begun(settings: Readonly<Record<string, unknown>> = {}): MetricsRecord {
  return {
    ...{ event: 'begun', step: 0, format: 'unisum-record/1', recipe: 'iris', options: {} },
    settings: {
      seed: 0,
      steps: 4,
      learningRate: 0.5,
      schedule: { name: 'constant', warmup: 0 },
      ...settings,
    },
    ...{ testData: null, weights: null, code: { version: '1.2.3', kernels: HASH('e') } },
  };
}

export const step = (number: number, loss: number, workers = 1): MetricsRecord => ({
  ...{ step: number, epoch: 1, loss, workers },
});
export const evaluation = (number: number, testLoss: number): MetricsRecord => ({ step: number, testLoss });
export const saved = (number: number, digit: string): MetricsRecord => ({
  ...{ event: 'checkpoint', step: number, weightsSha256: HASH(digit), sha256: HASH('f') },
});
export const ended = (number: number, reason: string, digit: string): MetricsRecord => ({
  ...{ event: 'ended', step: number, reason, weightsSha256: HASH(digit) },
});

/** Writes the directory of a run with these lines. Returns its path. */
export async function writeRun(
  parent: string,
  name: string,
  records: readonly MetricsRecord[],
  started = '2026-01-01T00:00:00.000Z',
): Promise<string> {
  const path = join(parent, name);
  mkdirSync(path, { recursive: true });
  await writeRunConfig(path, { recipe: 'iris', started, config: { workers: 2 }, options: {} });
  let hash = CHAIN_START;
  let text = '';
  for (const record of records) {
    const next = chained(hash, record);
    hash = next.hash;
    text += next.line;
  }
  writeFileSync(join(path, 'metrics.jsonl'), text);
  return path;
}
