/*
 * Releases the version that CHANGELOG.md names as not released: `npm run release` shows what it would do, and changes nothing;
 * `npm run release -- --apply` runs the tests, writes the version into package.json, package-lock.json and CHANGELOG.md, commits, and
 * tags the commit. Pushing and publishing are left to a person, who gets the commands.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../shared/errors.js';
import { describeFailure, STACK_VARIABLE } from '../terminal/failure.js';
import { type PackageManifest, type PackReport, wrongContents } from './release/package-contents.js';
import { planVersion } from './release/version-plan.js';

const BRANCH = 'main';
const [MANIFEST, LOCK, CHANGELOG] = ['package.json', 'package-lock.json', 'CHANGELOG.md'] as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
const read = (path: string): string => readFileSync(path, 'utf8');

/** @throws UserError when the tree has changes, or is not of the branch that is released */
function checkTree(): void {
  const changes = git('status', '--porcelain');
  if (changes !== '') {
    const [first, ...others] = changes.split('\n');
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    throw new UserError(`there are changes that are not committed (${first}${more}); commit or stash them`);
  }
  const branch = git('rev-parse', '--abbrev-ref', 'HEAD');
  if (branch !== BRANCH) throw new UserError(`this is the branch ${branch}; releases are made on ${BRANCH}`);
}

/** Packs as `npm publish` would, and checks what is in the file. @throws UserError that lists all that is wrong */
function checkPackage(): void {
  const folder = mkdtempSync(join(tmpdir(), 'unisum-release-'));
  try {
    const args = ['pack', '--json', '--pack-destination', folder, '--loglevel=error', '--no-update-notifier'];
    const output = execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
    // Scripts of the package may print before.
    const found = JSON.parse(output.slice(output.search(/^[[{]\s*$/m))) as
      | PackReport[]
      | Record<string, PackReport>;
    const [report] = Object.values(found) as [PackReport];
    const wrong = wrongContents(report, JSON.parse(read(MANIFEST)) as PackageManifest);
    if (wrong.length > 0) throw new UserError(`the package is wrong: ${wrong.join('; ')}`);
    say(`package: ${report.filename}, ${report.size} bytes, ${report.files.length} files`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function release(isApplied: boolean): void {
  checkTree();
  const tags = git('tag', '--list').split('\n');
  const plan = planVersion({ manifest: read(MANIFEST), lock: read(LOCK), changelog: read(CHANGELOG), tags });
  const { version, tag, notes } = plan;
  say(`version ${version}, tag ${tag}`);
  checkPackage();
  if (!isApplied) {
    say('nothing was changed. To run the tests and release:  npm run release -- --apply');
    return;
  }
  const { status } = spawnSync('npm', ['test'], { stdio: 'inherit' });
  if (status !== 0) throw new UserError('tests failed; nothing was changed');
  checkTree();
  writeFileSync(MANIFEST, plan.manifest);
  writeFileSync(LOCK, plan.lock);
  writeFileSync(CHANGELOG, plan.changelog);
  git('commit', '--quiet', '--message', `release: version ${version}`, MANIFEST, LOCK, CHANGELOG);
  git('tag', '--annotate', tag, '--message', `${version}\n\n${notes}`);
  say(`committed and tagged. To publish:\n  git push origin ${BRANCH} ${tag}\n  npm publish`);
}

try {
  const { values } = parseArgs({ options: { apply: { type: 'boolean', default: false } } });
  release(values.apply);
} catch (error) {
  const { text, exitCode } = describeFailure(error, process.env[STACK_VARIABLE] !== undefined);
  say(text);
  process.exitCode = exitCode;
}
