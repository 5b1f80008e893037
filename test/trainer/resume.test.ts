import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RUN_FORMAT } from '../../coordinator/storage/run-config.js';
import { resumedRun } from '../../trainer/resume.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-resumed-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

function runOf(options: object): string {
  const config = { format: RUN_FORMAT, recipe: 'mnist-mlp', started: '', config: {}, options };
  writeFileSync(join(ROOT, 'config.json'), JSON.stringify(config));
  return ROOT;
}

describe('a resumed run', () => {
  it('drops options that exclude the given ones, and keeps the others', async () => {
    const path = runOf({ clipNorm: '1', steps: '100', batch: '32' });
    const { options } = await resumedRun(path, undefined, { clipTensorNorm: '2', epochs: '3' });
    expect(options).toEqual({ clipTensorNorm: '2', epochs: '3', batch: '32' });
  });

  it('keeps all options when none are given', async () => {
    const options = { clipValue: '1', epochs: '2' };
    expect((await resumedRun(runOf(options), 'mnist-mlp', {})).options).toEqual(options);
  });
});

it('a folder without config.json is not resumed', async () => {
  const path = mkdtempSync(join(ROOT, 'empty-'));
  await expect(resumedRun(path, undefined, {})).rejects.toThrow(
    `${path} is not a run directory: config.json not found; name another`,
  );
});
