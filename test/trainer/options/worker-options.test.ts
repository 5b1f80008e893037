import { describe, expect, it } from 'vitest';
import {
  type JoinOptions,
  memoryShare,
  parseWorkerOptions,
} from '../../../trainer/options/worker-options.js';

const TOKEN = 'abcdefghijklmnopqrstuv';
const JOIN = `ws://127.0.0.1:7700/#${TOKEN}`;
const DEFAULTS: JoinOptions = { threads: '1', backend: 'auto' };

describe('options of worker', () => {
  it('default to the name of the machine', () => {
    expect(parseWorkerOptions(JOIN, DEFAULTS, 'attic')).toEqual({
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
  ])('accept --memory %s', (memory, bytes) => {
    expect(parseWorkerOptions(JOIN, { ...DEFAULTS, memory }, 'attic').memory).toBe(bytes);
  });

  it.each(['', '2', '15m', '-1g', '1e3g', '1.5.5g', '2 g'])('refuse --memory %j', (memory) => {
    expect(() => parseWorkerOptions(JOIN, { ...DEFAULTS, memory }, 'attic')).toThrow(
      /--memory takes an amount of memory, such as 512m or 2g/,
    );
  });

  it.each([
    ['half of the machine', 8e9, 0, 4e9],
    ['half of the limit of the process', 8e9, 2e9, 1e9],
    ['half of the machine where the limit is larger', 8e9, 1.8e19, 4e9],
  ])('default to %s', (_what, total, limit, share) => {
    expect(memoryShare(total, limit)).toBe(share);
  });

  it('override the defaults', () => {
    const given = { threads: '4', backend: 'wasm', name: 'Büro 2', json: true } as const;
    expect(parseWorkerOptions(JOIN, given, 'attic')).toMatchObject({ ...given, threads: 4 });
  });

  it.each(['', 'a\u001b[31m', 'a\nb', 'x'.repeat(65), ' a'])('refuse the name %j', (name) => {
    expect(() => parseWorkerOptions(JOIN, { ...DEFAULTS, name }, 'attic')).toThrow(
      '--name takes up to 64 letters',
    );
  });

  it('refuse a malformed join URL', () => {
    expect(() => parseWorkerOptions('nowhere', DEFAULTS, 'attic')).toThrow('join URL');
  });
});
