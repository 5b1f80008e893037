import { describe, expect, it } from 'vitest';
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
      json: false,
    });
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
