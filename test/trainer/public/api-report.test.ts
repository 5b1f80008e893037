import { join } from 'node:path';
import { expect, it } from 'vitest';
import { apiReport } from './api-report.js';

const ROOT = join(import.meta.dirname, '../../..');

/* A change of the public face is seen in review: `npx vitest run test/trainer/public -u` writes the new report. */
it('the public face is that of docs/api.txt', async () => {
  const report = apiReport(join(ROOT, 'dist/trainer/public/unisum.d.ts'));
  expect(report).toContain('## train\n');
  await expect(report).toMatchFileSnapshot(join(ROOT, 'docs/api.txt'));
});
