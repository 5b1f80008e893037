import { describe, expect, it } from 'vitest';
import { memoryShare } from '../../scripts/commands/memory-size.js';
import { parseWorkerOptions, type WorkerOptions } from '../../scripts/commands/worker-options.js';

const TOKEN = 'abcdefghijklmnopqrstuv';
const JOIN = `ws://127.0.0.1:7700/#${TOKEN}`;
const SILENT: WorkerOptions = { threads: '1', backend: 'auto' };

describe('options of worker', () => {
  it('name the run, and by default the machine', () => {
    expect(parseWorkerOptions(JOIN, SILENT, 'attic')).toEqual({
      join: { host: '127.0.0.1', port: 7700, token: TOKEN },
      threads: 1,
      backend: 'auto',
      name: 'attic',
      memory: memoryShare(),
      json: false,
    });
  });

  it.each([
    ['512m', 512 * 2 ** 20],
    ['2G', 2 ** 31],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['16MB', 16 * 2 ** 20],
  ])('take %s of memory', (memory, bytes) => {
    expect(parseWorkerOptions(JOIN, { ...SILENT, memory }, 'attic').memory).toBe(bytes);
  });

  it.each(['', '2', '15m', '-1g', '1e3g', '1.5.5g', '2 g'])('refuse %j of it', (memory) => {
    expect(() => parseWorkerOptions(JOIN, { ...SILENT, memory }, 'attic')).toThrow(
      /--memory takes an amount of memory, such as 512m or 2g/,
    );
  });

  it.each([
    ['half of the machine', 8e9, 0, 4e9],
    ['half of what the process is confined to', 8e9, 2e9, 1e9],
    ['half of the machine where the system says that it is confined to more', 8e9, 1.8e19, 4e9],
  ])('may have %s by default', (_what, total, confined, share) => {
    expect(memoryShare(total, confined)).toBe(share);
  });

  it('are taken from the user', () => {
    const said = { threads: '4', backend: 'wasm', name: 'Büro 2', json: true } as const;
    expect(parseWorkerOptions(JOIN, said, 'attic')).toMatchObject({ ...said, threads: 4 });
  });

  it.each(['', 'a\u001b[31m', 'a\nb', 'x'.repeat(65), ' a'])('refuse the name %j', (name) => {
    expect(() => parseWorkerOptions(JOIN, { ...SILENT, name }, 'attic')).toThrow(
      '--name takes up to 64 letters',
    );
  });

  it('refuse a malformed join URL', () => {
    expect(() => parseWorkerOptions('nowhere', SILENT, 'attic')).toThrow('join URL');
  });
});
