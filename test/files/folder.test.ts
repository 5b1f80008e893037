import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Folder } from '../../shared/files/folder.js';
import { storageSuite } from '../suites/storage-suite.js';

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unisum-folder-'));
});
afterAll(() => rm(root, { recursive: true }));

const next = (): string => join(root, String(folders++), 'made', 'when needed');

storageSuite(async () => new Folder(next()));

it('lists only files', async () => {
  const folder = new Folder(next());
  await folder.write('file', []);
  await mkdir(join(folder.path, 'folder'));
  expect(await folder.list()).toEqual(['file']);
});

it('creates files with the given permissions', async () => {
  const folder = new Folder(next(), 0o600);
  await folder.write('secret', []);
  expect((await stat(join(folder.path, 'secret'))).mode & 0o777).toBe(0o600);
});
