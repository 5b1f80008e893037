import { expect, it } from 'vitest';
import { sha256Elsewhere, sha256Hex, sha256InTurns } from '../../shared/files/sha256.js';

it('is the same on another thread and in turns', async () => {
  for (const length of [0, 1, 4 * 2 ** 20, 9_000_001]) {
    const bytes = new Uint8Array(length).map((_, i) => i * i);
    expect(await sha256Elsewhere(bytes)).toBe(sha256Hex(bytes));
    expect(await sha256InTurns([bytes.subarray(0, 3), bytes.subarray(3)])).toBe(sha256Hex(bytes));
  }
});

it('lets other events have their turn while it hashes many bytes', async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (turns < 1000) setImmediate(count);
  };
  setImmediate(count);
  await sha256InTurns([new Uint8Array(40 * 2 ** 20)]);
  expect(turns).toBeGreaterThanOrEqual(10);
});
