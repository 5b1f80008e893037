import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ACCESS_FILE, loadAccess, saveAccess } from '../../../coordinator/storage/run-access.js';
import { createMachineKey } from '../../../shared/link/machine-key.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-access-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

const [KEY, OTHER] = [createMachineKey(), createMachineKey()].map((text) => createPrivateKey(text));
const ACCESS = { runId: 'r'.repeat(22), token: 't'.repeat(22), port: 7070 };
const FILE = join(ROOT, ACCESS_FILE);

describe('the join line of a run', () => {
  it('is that of before where this machine has sealed it', async () => {
    await saveAccess(ROOT, ACCESS, KEY);
    expect(await loadAccess(ROOT, KEY)).toEqual(ACCESS);
  });

  it('is another one where another machine has sealed it, or this one has no key', async () => {
    await saveAccess(ROOT, ACCESS, OTHER);
    expect(await loadAccess(ROOT, KEY)).toBe('foreign');
    await saveAccess(ROOT, ACCESS, undefined);
    expect(await loadAccess(ROOT, KEY)).toBe('foreign');
    await saveAccess(ROOT, ACCESS, KEY);
    expect(await loadAccess(ROOT, undefined)).toBe('foreign');
  });

  it('is another one where a sealed file was altered', async () => {
    await saveAccess(ROOT, ACCESS, KEY);
    writeFileSync(FILE, readFileSync(FILE, 'utf8').replace('tttt', 'ssss'));
    expect(await loadAccess(ROOT, KEY)).toBe('foreign');
  });
});
