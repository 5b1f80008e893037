import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readBoundedFile, readPieces, withRegularFile } from '../../shared/files/read-file.js';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import { refusalOf } from '../support/refusal.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'unisum-read-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  return path;
}

function link(name: string, target: string): string {
  const path = join(FOLDER, name);
  symlinkSync(target, path);
  return path;
}

/** Every function that reads a file which another person may have written. */
const READERS = {
  readBoundedFile: (path: string) => readBoundedFile(path, 1000),
  readPieces: (path: string) => readPieces(path, 1000).next(),
  loadSafetensors: (path: string) => loadSafetensors(path),
};

describe.skipIf(process.platform === 'win32').each(Object.entries(READERS))('%s', (name, read) => {
  it('refuses what is not a regular file, without reading a byte or waiting', async () => {
    const pipe = join(FOLDER, `pipe-${name}`);
    execFileSync('mkfifo', [pipe]);
    const special = 'it is a device, a pipe or a socket; name a regular file';
    const zero = link(`zero-${name}`, '/dev/zero');
    for (const path of [pipe, '/dev/zero', zero])
      expect(await refusalOf(read(path))).toBe(`cannot read ${path}: ${special}`);
    const socket = join(FOLDER, `socket-${name}`);
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await refusalOf(read(socket))).toBe(`cannot read ${socket}: ${special}`);
    await new Promise((resolve) => server.close(resolve));
    expect(await refusalOf(read(FOLDER))).toBe(`cannot read ${FOLDER}: it is a directory; name a file`);
  });
});

describe('a file that is read', () => {
  it('may be as large as the bound, and may be empty', async () => {
    expect(await readBoundedFile(file('empty', ''), 0)).toHaveLength(0);
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i);
    expect(await readBoundedFile(file('whole', bytes), 70_000)).toEqual(Buffer.from(bytes));
    expect(await refusalOf(readBoundedFile(join(FOLDER, 'whole'), 69_999))).toMatch(
      /whole has 70000 bytes, more than the 69999 allowed; check that it is the right file$/,
    );
  });

  it('is refused for its size before memory is allocated, also when it is sparse', async () => {
    const path = file('sparse', '');
    truncateSync(path, 2 ** 40);
    expect(await refusalOf(readBoundedFile(path, 2 ** 31 - 1))).toMatch(/sparse has 1099511627776 bytes/);
    expect(await refusalOf(loadSafetensors(path))).toMatch(/sparse has 1099511627776 bytes/);
    truncateSync(path, 2 ** 31 - 1);
    const before = process.memoryUsage().rss;
    expect(await refusalOf(loadSafetensors(path))).toMatch(/has a header that is not a JSON object/);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  });

  it('must not exceed the bound while it grows', async () => {
    const path = file('grows', 'x'.repeat(10));
    const pieces = readPieces(path, 15);
    expect((await pieces.next()).value).toHaveLength(10);
    await appendFile(path, 'x'.repeat(10));
    expect(await refusalOf(pieces.next())).toMatch(/grows has more bytes, more than the 15 allowed/);
  });

  it.skipIf(process.platform !== 'linux')(
    'says no size, as those of /proc, and is read to its end',
    async () => {
      expect((await readBoundedFile('/proc/self/maps', 2 ** 24)).length).toBeGreaterThan(1000);
      expect(await refusalOf(readBoundedFile('/proc/self/maps', 5000))).toMatch(
        /maps has more bytes than its size, more than the 5000 allowed/,
      );
    },
  );

  it.skipIf(process.platform === 'win32')('may be a symbolic link, or not, as the caller asks', async () => {
    const target = file('target', 'abc');
    const path = link('link', target);
    const size = async (_: unknown, bytes: number): Promise<number> => bytes;
    expect(await withRegularFile(path, {}, size)).toBe(3);
    expect(await refusalOf(withRegularFile(path, { links: 'refuse' }, size))).toBe(
      `cannot read ${path}: it is a symbolic link; put the file itself in its place`,
    );
    expect(await withRegularFile(target, { links: 'refuse' }, size)).toBe(3);
  });
});
