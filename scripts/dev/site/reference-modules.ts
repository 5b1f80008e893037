/*
 * The modules that the reference describes: one for the package, one for each of its groups of functions (`layers`, `losses` and so on)
 * and one for pages. TypeDoc reads them.
 */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const FACE = 'trainer/public/unisum.ts';
const BROWSER = 'web/library/unisum-browser.ts';

/** A module by its name in the reference. */
export interface ReferenceModule {
  readonly name: string;
  readonly text: string;
  /** Functions that its page must describe. */
  readonly functions: readonly ReferenceFunction[];
}

/** A function as users call it. */
export interface ReferenceFunction {
  readonly name: string;
  /** The file that exports it, without folder and ending. */
  readonly module: string;
}

/** An import of the public face: a name there, and where it comes from. */
interface Origin {
  readonly exported: string;
  readonly path: string;
}

/**
 * @param root folder of package.json
 * @param toRoot path from where the modules are written to the root, such as "../../.."
 */
export function referenceModules(root: string, toRoot: string): ReferenceModule[] {
  const face = readFileSync(join(root, FACE), 'utf8');
  const origins = importsOf(face);
  const groups = [...face.matchAll(/^export const (\w+) = \{([\s\S]*?)\};?$/gm)].map(
    ([, name = '', body = '']) => groupModule({ name, body, origins, root, toRoot }),
  );
  const groupNames = new Set(groups.map(({ name }) => name));
  const list = exportsOf(face).filter((name) => !groupNames.has(name));
  return [
    {
      name: 'unisum',
      text: `export { ${list.join(', ')} } from '${toRoot}/${js(FACE)}';\n`,
      functions: ['train', 'load', 'join'].map((one) => ({ name: one, module: 'unisum' })),
    },
    ...groups,
    {
      name: 'browser',
      text: `export * from '${toRoot}/${js(BROWSER)}';\n`,
      functions: [{ name: 'load', module: 'browser' }],
    },
  ];
}

const js = (path: string): string => path.replace(/\.ts$/, '.js');

function importsOf(face: string): Map<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const [, list = '', from = ''] of face.matchAll(/^import \{([^}]*)\} from '([^']*)'/gm))
    for (const item of list
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== '')) {
      const [exported = '', local = exported] = item.replace(/^type /, '').split(' as ');
      origins.set(local, { exported, path: posix.join(posix.dirname(FACE), from) });
    }
  return origins;
}

/** The names that a module exports. */
function exportsOf(text: string): string[] {
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) =>
    list.split(','),
  );
  const named = lists.map((item) =>
    item
      .trim()
      .replace(/^type /, '')
      .replace(/^.* as /, ''),
  );
  const declared = [...text.matchAll(/^export (?:async )?(?:function|const|class|interface|type) (\w+)/gm)];
  return [...named, ...declared.map(([, name = '']) => name)].filter((name) => name !== '');
}

interface Group {
  readonly name: string;
  readonly body: string;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly root: string;
  readonly toRoot: string;
}

/** A group with its functions under the names that they have there, and the types of their options. */
function groupModule({ name, body, origins, root, toRoot }: Group): ReferenceModule {
  const bare = body.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const entries = [...bare.matchAll(/(?:(\w+): )?\b(\w+)\b(?=\s*[,}]|\s*$)/g)].map(([, key, local = '']) => ({
    key: key ?? local,
    origin: origins.get(local) as Origin,
  }));
  const paths = [...new Set(entries.map(({ origin }) => origin.path))];
  const lines = paths.map((path) => {
    const source = readFileSync(join(root, path.replace(/\.js$/, '.ts')), 'utf8');
    const types = [...source.matchAll(/^export (?:interface|type) (\w+)/gm)].map(
      ([, type]) => `type ${type}`,
    );
    const values = entries
      .filter(({ origin }) => origin.path === path)
      .map(({ key, origin }) => (key === origin.exported ? key : `${origin.exported} as ${key}`));
    return `export { ${[...values, ...types].join(', ')} } from '${toRoot}/${path}';\n`;
  });
  return {
    name,
    text: lines.join(''),
    functions: entries.map(({ key, origin }) => ({ name: key, module: posix.basename(origin.path, '.js') })),
  };
}
