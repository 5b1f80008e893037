import { describe, expect, it } from 'vitest';
import { wrongContents } from '../../../scripts/dev/release/package-contents.js';

const MANIFEST = { bin: { unisum: 'dist/cli.js' }, exports: { './layers/*': './dist/layers/*.js' } };
const GOOD = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/cli.js', 'dist/layers/dense.js'];
const wrong = (paths: readonly string[], size = 1000): string[] =>
  wrongContents({ filename: 'a.tgz', size, files: paths.map((path) => ({ path })) }, MANIFEST);

describe('the contents of a package', () => {
  it('are good with what package.json names', () => expect(wrong(GOOD)).toEqual([]));
  it.each<[string, readonly string[], number, string]>([
    ['without a program', GOOD.filter((path) => path !== 'dist/cli.js'), 1, 'dist/cli.js is missing'],
    ['without exports', GOOD.slice(0, 5), 1, 'dist/layers/*.js is missing'],
    ['without a licence', GOOD.filter((path) => path !== 'LICENSE'), 1, 'LICENSE is missing'],
    ['with tests', [...GOOD, 'test/a.test.ts'], 1, 'test/a.test.ts does not belong in it'],
    ['with secrets', [...GOOD, 'docs/.env'], 1, 'docs/.env does not belong in it'],
    ['too large', GOOD, 6_000_000, 'it has 6000000 bytes, more than 5000000'],
  ])('are wrong %s', (_, paths, size, message) => expect(wrong(paths, size)).toEqual([message]));
});
