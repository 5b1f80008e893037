import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

it('lr-find suggests a rate, draws the curve, and refuses too short a range', async () => {
  const data = writeFiles(temporaryFolder(), smallData());
  const html = join(temporaryFolder(), 'curve.html');
  const find = ['lr-find', '--data', data, '--batch', 64, '--html', html, '--json'];
  const { status, stdout, stderr } = await runHere(...find);
  expect(status, stderr).toBe(0);
  const { suggestedLr, points } = JSON.parse(stdout) as { suggestedLr: number; points: { rate: number }[] };
  expect(suggestedLr).toBeGreaterThan(1e-5);
  expect(suggestedLr).toBeLessThan(1);
  expect(points[0]?.rate).toBe(1e-6);
  expect(stderr).toContain(`--lr ${suggestedLr}`);
  expect(readFileSync(html, 'utf8')).toContain(`"suggestedLr":${suggestedLr}`);
  const refused = await runHere(...find, '--from', 1, '--to', 2);
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toBe('unisum: --to must be at least ten times --from, or the curve is too short\n');
});
