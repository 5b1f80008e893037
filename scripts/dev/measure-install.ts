/*
 * Measures what a newcomer waits for, beside two libraries that are often used from Node: `npm run measure:install`. Each package
 * is installed into a folder of its own in build/install. Prints the size of the installation, and the medians of: an installation from
 * npm's cache, `--help`, an import, and a process from its start to the first step of training. ONNX Runtime does not train: it runs the
 * model that Unisum has trained and exported. The libraries take turns.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../shared/actor/clock.js';
import { describeMachine, machineFacts } from '../bench/machine-facts.js';
import { timeStats } from '../bench/time-stats.js';
import { textTable } from '../terminal/text-table.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'build/install');
/** Measurements of a kind, of which the median is told. */
const [INSTALLS, STARTS] = [3, 5];
/** A network of 784 inputs, 128 and 10 units, and a batch of 128 samples. */
const [INPUTS, HIDDEN, CLASSES, BATCH] = [784, 128, 10, 128];

const VALUES = `
const rows = Array.from({ length: ${BATCH} }, (_, row) => Array.from({ length: ${INPUTS} }, (_, i) => ((row * 31 + i * 17) % 97) / 97));
const labels = rows.map((_, row) => row % ${CLASSES});
`;

/** Kernels are compiled into a cache of their own, which is empty at first. */
const CACHE = join(FOLDER, 'cache');
const ENVIRONMENT = { ...process.env, XDG_CACHE_HOME: CACHE };

/** A package, and a program that makes its first step. */
interface Library {
  readonly name: string;
  /** What npm installs. */
  readonly spec: string;
  readonly program: string;
  /** Arguments of node for a help text, if there is a command line. */
  readonly help?: readonly string[];
}

function libraries(tarball: string): Library[] {
  return [
    {
      name: 'unisum',
      spec: tarball,
      help: ['node_modules/unisum/dist/scripts/unisum.js', '--help'],
      program: `import { data, Graph, layers, losses, optimizers, sequential, train } from 'unisum';
${VALUES}
const set = data.packSamples('random', {
  x: { shape: [${INPUTS}], values: rows },
  y: { shape: [], values: labels, dtype: 'i32' },
});
const recipe = {
  summary: 'first step',
  model() {
    const graph = new Graph();
    const network = sequential([layers.dense(${HIDDEN}, { activation: 'relu' }), layers.dense(${CLASSES}, { activation: 'softmax' })]);
    return graph.model(network(graph.input('x', [${INPUTS}])), losses.sparseCategoricalCrossentropy({ target: 'y' }));
  },
  data: async () => ({ train: set }),
  ...{ optimizer: optimizers.adam(), batch: ${BATCH}, leafSize: 16, epochs: 1 },
};
await train(recipe, { steps: 1, runDir: 'run-' + process.pid });
`,
    },
    {
      name: '@tensorflow/tfjs',
      spec: '@tensorflow/tfjs@4.22.0',
      program: `import * as tf from '@tensorflow/tfjs';
${VALUES}
const model = tf.sequential();
model.add(tf.layers.dense({ units: ${HIDDEN}, activation: 'relu', inputShape: [${INPUTS}] }));
model.add(tf.layers.dense({ units: ${CLASSES}, activation: 'softmax' }));
model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
await model.trainOnBatch(tf.tensor2d(rows), tf.tensor1d(labels));
`,
    },
    {
      name: 'onnxruntime-node',
      spec: 'onnxruntime-node@1.30.0',
      program: `import { InferenceSession, Tensor } from 'onnxruntime-node';
${VALUES}
const session = await InferenceSession.create('model.onnx');
const [input] = session.inputNames;
await session.run({ [input]: new Tensor('float32', Float32Array.from(rows.flat()), [${BATCH}, ${INPUTS}]) });
`,
    },
  ];
}

const folderOf = ({ name }: Library): string =>
  join(
    FOLDER,
    name.replace(/^@|\W+/g, (part) => (part === '@' ? '' : '-')),
  );

/** Milliseconds of a program. @throws Error with its output when it fails */
function timed(program: string, args: readonly string[], cwd: string): number {
  const before = systemClock.nowMs();
  execFileSync(program, args, { cwd, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'] });
  return systemClock.nowMs() - before;
}

/** Install scripts are left out: those of ONNX Runtime would fetch libraries for GPUs. */
function install(library: Library): number {
  const folder = folderOf(library);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const milliseconds = timed('npm', ['install', ...options, library.spec], folder);
  writeFileSync(join(folder, 'first.mjs'), library.program);
  return milliseconds;
}

/** Files and bytes of an installation, and its packages. */
function sizeOf(library: Library): { readonly bytes: number; readonly packages: number } {
  const modules = join(folderOf(library), 'node_modules');
  const entries = readdirSync(modules, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return {
    bytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
    packages: files.filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file)).length,
  };
}

/** `times` measurements of every library in turn. */
function inTurn(
  all: readonly Library[],
  times: number,
  measure: (library: Library) => number,
): Map<Library, number[]> {
  const found = new Map(all.map((library) => [library, [] as number[]]));
  for (let i = 0; i < times; i++) for (const [library, list] of found) list.push(measure(library));
  return found;
}

const machine = machineFacts();
rmSync(CACHE, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const packed = execFileSync('npm', ['pack', '--pack-destination', FOLDER, '--loglevel=error'], {
  ...{ cwd: ROOT, encoding: 'utf8' },
});
const all = libraries(join(FOLDER, packed.trim().split('\n').at(-1) as string));
const node = (library: Library, ...args: readonly string[]) =>
  timed(process.execPath, args, folderOf(library));
// The first time fills npm's cache.
for (const library of all) install(library);
const installs = inTurn(all, INSTALLS, install);
const [unisum, , onnx] = all as [Library, Library, Library];
const firstEver = node(unisum, 'first.mjs');
const run = readdirSync(folderOf(unisum)).find((name) => name.startsWith('run-')) as string;
const cli = 'node_modules/unisum/dist/scripts/unisum.js';
node(unisum, cli, 'export', run, '--format', 'onnx', '--out', 'exported');
const model = readdirSync(join(folderOf(unisum), 'exported')).find((name) =>
  name.endsWith('.onnx'),
) as string;
const place = join(folderOf(unisum), 'exported', model);
writeFileSync(join(folderOf(onnx), 'first.mjs'), onnx.program.replace('model.onnx', place));
const helps = inTurn([unisum], STARTS, (library) => node(library, ...(library.help ?? [])));
const imports = inTurn(all, STARTS, (library) => node(library, '-e', `import('${library.name}')`));
const steps = inTurn(all, STARTS, (library) => node(library, 'first.mjs'));
process.stdout.write(`${describeMachine(machine)}\n`);
const medianIn = (times: ReadonlyMap<Library, readonly number[]>) => (library: Library) => {
  const list = times.get(library);
  return list === undefined ? '-' : `${Math.round(timeStats(list).median)} ms`;
};
const lines = textTable<Library>(
  [
    { heading: 'package', cell: ({ name }) => name },
    { heading: 'size', cell: (library) => `${(sizeOf(library).bytes / 1e6).toFixed(1)} MB` },
    { heading: 'packages', cell: (library) => String(sizeOf(library).packages) },
    { heading: 'install', cell: medianIn(installs) },
    { heading: '--help', cell: medianIn(helps) },
    { heading: 'import', cell: medianIn(imports) },
    { heading: 'first step', cell: medianIn(steps) },
  ],
  all,
);
const first = `first step of unisum ever, which compiles its kernels: ${Math.round(firstEver)} ms`;
for (const line of [...lines, first]) process.stdout.write(`${line}\n`);
