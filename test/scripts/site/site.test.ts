import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleOf, withExamples } from '../../../scripts/dev/site/reference-examples.js';
import { referenceModules } from '../../../scripts/dev/site/reference-modules.js';
import { sitePages } from '../../../scripts/dev/site/site-pages.js';
import * as face from '../../../trainer/public/unisum.js';
import { linksOf, ROOT } from '../../docs/pages.js';

describe('the pages of the site', () => {
  const files = sitePages(ROOT);
  const paths = new Set(files.map(({ path }) => path));

  it('link to files of the site, sources among them', () => {
    const links = files.flatMap(({ path, content }) =>
      typeof content === 'string' && !path.startsWith('source/') ? linksOf({ path, text: content }) : [],
    );
    expect(links.length).toBeGreaterThan(300);
    expect(links.filter(({ target }) => !paths.has(target)).map(({ link }) => link)).toEqual([]);
    expect(links.map(({ target }) => target)).toContain('source/shared/data/tables/csv.ts.md');
  });

  it('begin with the README, and keep the folders of the others', () => {
    expect(paths).toContain('index.md');
    expect(paths).toContain('docs/guide/your-own.md');
    expect(files.find(({ path }) => posix.basename(path) === 'canonical-sum.svg')?.path).toBe(
      'docs/canonical-sum.svg',
    );
  });
});

describe('the reference', () => {
  it('describes every function of every group of the package', () => {
    const modules = new Map(referenceModules(ROOT, '..').map((one) => [one.name, one]));
    const groups = Object.entries(face).filter(
      ([, value]) => Object.getPrototypeOf(value) === Object.prototype,
    );
    expect(groups.map(([name]) => name)).toContain('layers');
    for (const [name, functions] of groups)
      expect(
        modules
          .get(name)
          ?.functions.map((one) => one.name)
          .sort(),
      ).toEqual(Object.keys(functions).sort());
    expect(modules.get('data')?.text).toContain('loadText as text');
    expect(modules.get('unisum')?.text).toMatch(/\btrain\b.*\bjoin\b/);
  });

  const dense = { name: 'dense', module: 'dense' };
  it.each<[string, string, string | undefined]>([
    [
      'a call',
      "import { dense } from 'unisum/layers/dense';\nconst a = dense(2, [1, 2]);",
      'dense(2, [1, 2])',
    ],
    ['a call in a group', 'const a = layers.dense(3);', 'layers.dense(3)'],
    ['a call of another function', "import { dense } from './mine.js';\ndense(1);", undefined],
    ['a comment', "import { dense } from './dense.js';\n// dense(1)", undefined],
    ['a call with types', "import { dense } from './dense.js';\ndense(x as Layer);", undefined],
  ])('shows as an example, or not: %s', (_, text, example) =>
    expect(exampleOf(dense, [{ text, isFile: true }])).toBe(example),
  );

  it('puts examples above parameters, and names functions without', () => {
    const page =
      '## Functions\n\n### dense()\n\nA layer.\n\n#### Parameters\n\n### other()\n\n#### Returns\n';
    const code = [{ text: 'layers.dense(3)', isFile: true }];
    const { text, without } = withExamples(page, [dense, { name: 'other', module: 'other' }], code);
    expect(text).toContain('A layer.\n\n#### Example\n\n```ts\nlayers.dense(3)\n```\n\n#### Parameters');
    expect(without).toEqual(['other']);
  });
});
