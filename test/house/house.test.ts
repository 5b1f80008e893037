import { describe, expect, it } from 'vitest';
import { wrongArrows } from './arrows.js';
import { bannedCalls } from './banned-calls.js';
import { circles } from './circles.js';
import { deadExports } from './dead-exports.js';
import { LIVE_EXPORTS, LONG_FILES } from './exceptions.js';
import { longFiles, wrongExports, wrongNames } from './file-shape.js';
import { leaks } from './leaks.js';
import { missingFromLock } from './lock-file.js';
import { wrongPackages } from './packages.js';
import { readSources } from './source.js';

const sources = readSources();

describe('the source', () => {
  it('is read', () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['package.json', 'shared/errors.ts', 'scripts/setup.mjs', '.ci/run']),
    );
  });

  it('has imports that follow the arrows between folders', () => {
    expect(wrongArrows(sources)).toEqual([]);
  });

  it('has no circles of imports', () => {
    expect(circles(sources)).toEqual([]);
  });

  it('calls time, randomness, inexact mathematics and the console only where they belong', () => {
    expect(bannedCalls(sources)).toEqual([]);
  });

  it('exports nothing that nobody uses', () => {
    expect(deadExports(sources, LIVE_EXPORTS)).toEqual([]);
  });

  it('keeps files short', () => {
    expect(longFiles(sources, LONG_FILES)).toEqual([]);
  });

  it('names files in kebab-case', () => {
    expect(wrongNames(sources)).toEqual([]);
  });

  it('has neither default exports nor barrels', () => {
    expect(wrongExports(sources)).toEqual([]);
  });

  it('gives a reason and a use for every dependency, and declares what it uses', () => {
    expect(wrongPackages(sources)).toEqual([]);
  });

  it('lists every package in the lock file', () => {
    expect(missingFromLock(sources)).toEqual([]);
  });

  it('mentions no path of one machine and no private host', () => {
    expect(leaks(sources)).toEqual([]);
  });
});
