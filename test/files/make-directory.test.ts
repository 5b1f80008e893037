import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDirectories } from '../../shared/files/make-directory.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'unisum-make-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('makeDirectories', () => {
  it('creates missing directories and leaves existing ones', async () => {
    await makeDirectories(join(directory, 'a', 'b', 'c'));
    await writeFile(join(directory, 'a', 'b', 'file'), '');
    await makeDirectories(join(directory, 'a', 'b'));
    await makeDirectories(join(directory, 'a', 'b', 'd/'));
    expect((await readdir(join(directory, 'a', 'b'))).sort()).toEqual(['c', 'd', 'file']);
  });

  it('follows a link to a directory', async () => {
    await symlink(directory, join(directory, 'link'));
    await makeDirectories(join(directory, 'link'));
    await makeDirectories(join(directory, 'link', 'a'));
    expect(await readdir(directory)).toContain('a');
  });

  it('fails when a file is in the way', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(makeDirectories(join(directory, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeDirectories(join(directory, 'file', 'a', 'b'))).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
  });

  it.runIf(process.platform === 'linux')('fails, and soon, where nothing can ever be made', async () => {
    await expect(makeDirectories('/proc/unisum/a')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
