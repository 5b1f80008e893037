import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/process.js';
import { writeFiles } from '../../support/process-data.js';

/* The script in a small repository of its own, where `npm test` does nothing but succeed or fail. */
const ROOT = join(import.meta.dirname, '../../..');
const CHANGELOG = '# Changelog\n\n## 0.2.0 (not released)\n\n- new\n\n## 0.1.0\n\n- first\n';

function repository(test: string) {
  const version = '0.1.0';
  const folder = writeFiles(temporaryFolder(), {
    'package.json': JSON.stringify({ name: 'small', version, scripts: { test } }, null, 2),
    'package-lock.json': JSON.stringify({ version, packages: { '': { version } } }, null, 2),
    'CHANGELOG.md': CHANGELOG,
    'README.md': 'Small.\n',
    LICENSE: 'MIT\n',
  });
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch', 'main');
  git('config', 'user.name', 'A');
  git('config', 'user.email', 'a@example.org');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  const release = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), join(ROOT, 'scripts/dev/release.ts'), ...args],
      {
        ...{ cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: temporaryFolder() } },
      },
    );
  const versions = () => [
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version,
    JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages[''].version,
    /^## .*/m.exec(readFileSync(join(folder, 'CHANGELOG.md'), 'utf8'))?.[0],
  ];
  return { folder, git, release, versions };
}

const BEFORE = ['0.1.0', '0.1.0', '## 0.2.0 (not released)'];

describe('npm run release', { timeout: 60_000 }, () => {
  it('changes nothing unless it is told to, then commits and tags', () => {
    const { git, release, versions } = repository('true');
    const first = git('rev-parse', 'HEAD');
    const shown = release();
    expect(shown.stderr).toMatch(/^version 0\.2\.0, tag v0\.2\.0/);
    expect(shown.stderr).toMatch(/package: small-0\.1\.0\.tgz, \d+ bytes, 4 files/);
    expect(shown.status).toBe(0);
    expect([git('rev-parse', 'HEAD'), git('tag'), git('status', '--porcelain')]).toEqual([first, '', '']);
    expect(versions()).toEqual(BEFORE);

    const done = release('--apply');
    expect(done.status, done.stderr).toBe(0);
    expect(versions()).toEqual(['0.2.0', '0.2.0', '## 0.2.0']);
    expect(git('status', '--porcelain')).toBe('');
    expect(git('log', '-1', '--format=%s')).toBe('release: version 0.2.0');
    expect(git('rev-parse', 'v0.2.0^{commit}')).toBe(git('rev-parse', 'HEAD'));
    expect(release().stderr).toContain('the first version in CHANGELOG.md is 0.2.0');
  });

  it('changes nothing when tests fail, or the tree is not as it was committed', () => {
    const { folder, git, release, versions } = repository('false');
    const failed = release('--apply');
    expect(failed.stderr).toContain('tests failed; nothing was changed');
    expect(failed.status).toBe(1);
    git('checkout', '--quiet', '-b', 'other');
    expect(release().stderr).toBe('unisum: this is the branch other; releases are made on main\n');
    writeFileSync(join(folder, 'LICENSE'), 'none\n');
    expect(release('--apply').stderr).toContain('there are changes that are not committed');
    expect([versions(), git('tag')]).toEqual([BEFORE, '']);
  });
});
