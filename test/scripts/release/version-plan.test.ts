import { describe, expect, it } from 'vitest';
import { planVersion } from '../../../scripts/dev/release/version-plan.js';

const CHANGELOG = '# Changelog\n\n## 0.2.0 (not released)\n\n- new\n- more\n\n## 0.1.0\n\n- first\n';
const FILES = {
  manifest: '{\n  "name": "a",\n  "version": "0.1.0"\n}\n',
  lock: '{ "version": "0.1.0", "packages": { "": { "version": "0.1.0" }, "b": { "version": "0.1.0" } } }',
  changelog: CHANGELOG,
  tags: ['v0.1.0'],
};

describe('a release', () => {
  it('writes the version that the changelog names, into the package alone', () => {
    const { version, tag, notes, manifest, lock, changelog } = planVersion(FILES);
    expect({ version, tag, notes }).toEqual({ version: '0.2.0', tag: 'v0.2.0', notes: '- new\n- more' });
    expect(JSON.parse(manifest).version).toBe('0.2.0');
    expect(JSON.parse(lock)).toEqual({
      version: '0.2.0',
      packages: { '': { version: '0.2.0' }, b: { version: '0.1.0' } },
    });
    expect(changelog).toBe(CHANGELOG.replace(' (not released)', ''));
  });

  it.each<[string, Partial<typeof FILES>, string]>([
    [
      'nothing is new',
      { changelog: '# Changelog\n\n## 0.1.0\n\n- first\n' },
      'put "## X.Y.Z (not released)"',
    ],
    ['there is no changelog', { changelog: '' }, 'is missing; put'],
    ['nothing is said', { changelog: '## 0.2.0 (not released)\n\n## 0.1.0\n' }, 'says nothing about 0.2.0'],
    ['the version is not later', { changelog: CHANGELOG.replace('0.2', '0.0') }, 'not later than 0.1.0'],
    ['it is no version', { changelog: CHANGELOG.replace('0.2.0', 'next') }, 'not later than 0.1.0'],
    ['it is tagged', { tags: ['v0.2.0'] }, 'the tag v0.2.0 exists'],
    ['the lock file is of another package', { lock: '{}' }, 'run npm install'],
  ])('is refused when %s', (_, change, message) =>
    expect(() => planVersion({ ...FILES, ...change })).toThrow(message),
  );
});
