import { describe, expect, it } from 'vitest';
import { connectionsFor, openFilesMax } from '../../shared/link/open-files.js';

describe('connections', () => {
  it('are as many as the limit of open files allows, and some are left for the run itself', () => {
    expect(connectionsFor(256, 4096)).toBe(128);
    expect(connectionsFor(1_000_000, 4096)).toBe(4096);
    expect(connectionsFor(undefined, 4096)).toBe(4096);
    expect(connectionsFor(20, 4096)).toBe(1);
  });

  it('are bounded by what the system says', () => {
    const max = openFilesMax();
    if (process.platform === 'linux') expect(max).toBeGreaterThan(16);
    else expect(max).toBeUndefined();
  });
});
