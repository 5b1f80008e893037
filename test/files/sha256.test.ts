import { expect, it } from 'vitest';
import { sha256Hex, sha256InBackground } from '../../shared/files/sha256.js';

it.each([
  ['on another thread', Number.POSITIVE_INFINITY],
  ['in turns', 0],
])('is the same in the background, %s', async (_where, handedMax) => {
  for (const length of [0, 1, 4 * 2 ** 20, 9_000_001]) {
    const bytes = new Uint8Array(length).map((_, i) => i * i);
    expect(await sha256InBackground(bytes, handedMax)).toBe(sha256Hex(bytes));
  }
});

it('lets other events have their turn while it hashes many bytes', async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (turns < 1000) setImmediate(count);
  };
  setImmediate(count);
  await sha256InBackground(new Uint8Array(40 * 2 ** 20), 0);
  expect(turns).toBeGreaterThanOrEqual(10);
});
