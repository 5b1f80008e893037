import { describe, expect, it } from 'vitest';
import { wrongArrows } from './arrows.js';
import { bannedCalls } from './banned-calls.js';
import { nodeInBrowser } from './browser-imports.js';
import { circles } from './circles.js';
import { deadExports } from './dead-exports.js';
import { LIVE_EXPORTS, LONG_FILES } from './exceptions.js';
import { longFiles, wrongExports, wrongNames } from './file-shape.js';
import { globalNames, shadowingTypes } from './global-names.js';
import { leaks } from './leaks.js';
import { missingFromLock } from './lock-file.js';
import { oldWords } from './old-words.js';
import { wrongPackages } from './packages.js';
import { readSources } from './source.js';
import { typedCommands } from './typed-commands.js';

const sources = readSources();

describe('the source', () => {
  it('is read', () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['package.json', 'shared/errors.ts', 'scripts/setup.mjs', '.ci/run']),
    );
  });

  it('has imports that follow the arrows between folders and rooms', () => {
    expect(wrongArrows(sources)).toEqual([]);
  });

  it('has no circular imports', () => {
    expect(circles(sources)).toEqual([]);
  });

  it('keeps Node out of what browsers reach', () => {
    expect(nodeInBrowser(sources)).toEqual([]);
  });

  it('uses time, randomness, inexact mathematics and the console only where they are allowed', () => {
    expect(bannedCalls(sources)).toEqual([]);
  });

  it('has no unused exports', () => {
    expect(deadExports(sources, LIVE_EXPORTS)).toEqual([]);
  });

  it('has a reason for every long file', () => {
    expect(longFiles(sources, LONG_FILES)).toEqual([]);
  });

  it('has no type with the name of a global', () => {
    expect(shadowingTypes(sources, globalNames())).toEqual([]);
  });

  it('has no name with a word that the glossary has replaced', () => {
    expect(oldWords(sources)).toEqual([]);
  });

  it('prints commands that work in a checkout and in a package', () => {
    expect(typedCommands(sources)).toEqual([]);
  });

  it('names files in kebab-case', () => {
    expect(wrongNames(sources)).toEqual([]);
  });

  it('has neither default exports nor barrels', () => {
    expect(wrongExports(sources)).toEqual([]);
  });

  it('has a reason and a use for every dependency, and declares all packages that it uses', () => {
    expect(wrongPackages(sources)).toEqual([]);
  });

  it('lists every package in the lock file', () => {
    expect(missingFromLock(sources)).toEqual([]);
  });

  it('contains no path of one machine and no private host', () => {
    expect(leaks(sources)).toEqual([]);
  });
});
