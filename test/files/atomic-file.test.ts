import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { readBoundedFile } from '../../shared/files/read-file.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'unisum-atomic-'));
});
afterEach(() => rm(directory, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

describe('writeFileAtomically', () => {
  it('writes all pieces, and replaces an older file and the temporary file of a killed process', async () => {
    const path = join(directory, 'f');
    await writeFile(path, 'an older and longer one');
    await writeFile(`${path}.partial`, 'half of something much longer than what comes now');
    await writeFileAtomically(path, [bytes('a'), bytes(''), bytes('bc')]);
    expect(await readFile(path, 'utf8')).toBe('abc');
    expect(await readdir(directory)).toEqual(['f']);
  });

  it('leaves the old file and nothing else when the disk is full', async () => {
    const path = join(directory, 'f');
    await writeFile(path, 'old');
    function* failing(): Generator<Uint8Array> {
      yield bytes('new');
      throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    }
    const saving = writeFileAtomically(path, failing());
    await expect(saving).rejects.toThrow(
      `cannot write ${path}: the disk is full; free some space or choose another place`,
    );
    await expect(saving).rejects.toBeInstanceOf(UserError);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['f']);
  });

  it('does not change errors of the program', async () => {
    const bug = new TypeError('a bug');
    function* failing(): Generator<Uint8Array> {
      yield bytes('new');
      throw bug;
    }
    await expect(writeFileAtomically(join(directory, 'f'), failing())).rejects.toBe(bug);
    expect(await readdir(directory)).toEqual([]);
  });

  it('names the file and the fix when it cannot be written', async () => {
    await writeFile(join(directory, 'f'), '');
    await expect(writeFileAtomically(join(directory, 'f', 'g'), [])).rejects.toThrow(
      /f\/g: part of the path is a file/,
    );
    await expect(writeFileAtomically(join(directory, 'n', 'g'), [])).rejects.toThrow(
      /n\/g: no such file or directory/,
    );
    await mkdir(join(directory, 'd'));
    await expect(writeFileAtomically(join(directory, 'd'), [])).rejects.toThrow(
      /it is a directory; name a file/,
    );
    expect((await readdir(directory)).sort()).toEqual(['d', 'f']);
  });
});

describe('readBoundedFile', () => {
  it('refuses a file above the bound', async () => {
    const path = join(directory, 'f');
    await writeFile(path, '12345');
    expect((await readBoundedFile(path, 5)).length).toBe(5);
    await expect(readBoundedFile(path, 4)).rejects.toThrow(`${path} has 5 bytes, more than the 4 allowed`);
  });
});
