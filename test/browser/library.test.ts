import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { load } from '../../trainer/loaded-model.js';
import { isInstalled, launch, open } from '../support/browser.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';
import { BUNDLERS, isBundlerInstalled } from './bundlers.js';

/* `unisum/browser` in the page of somebody else, whatever bundles it: the bits of Node. */
const ROOT = join(import.meta.dirname, '../..');
const FOLDER = mkdtempSync(join(tmpdir(), 'unisum-library-'));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
/** The example: everything that the page loads besides kernels and model, compressed. */
const SCRIPT_BYTES_MAX = 100_000;
/** As many rows as are several batches, and a rest. */
const [ROWS, BATCH] = [7, 3];

const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="./main.js"></script>';
const MAIN = `
import { load } from 'unisum/browser';
window.ask = async (backend, rows, kernels) => {
  const model = await load('/model', { backend, kernels });
  const outputs = await model.predict(Uint8Array.from(rows), { batch: ${BATCH} });
  const said = { backend: model.backend, bytes: [...new Uint8Array(outputs.buffer)], first: model.read(outputs)[0] };
  await model.dispose();
  return said;
};
window.refused = async (...args) => {
  try {
    await load(...args);
  } catch (error) {
    return error.message;
  }
};
window.isReady = true;
`;

interface Said {
  readonly backend: string;
  readonly bytes: readonly number[];
  readonly first: Readonly<Record<string, unknown>>;
}

let url: string;
const server = createServer((request, response) => {
  const path = normalize(new URL(request.url ?? '', 'http://localhost').pathname).replace(
    /\/$/,
    '/index.html',
  );
  try {
    const bytes = readFileSync(join(FOLDER, 'site', path));
    response
      .writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
      .end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});

beforeAll(async () => {
  const data = writeFiles(join(FOLDER, 'digits'), smallData());
  const options = ['--data', data, '--steps', 3, '--batch', 8, '--workers', 1, '--run-dir', 'run'];
  expect(await programHere(FOLDER, 'train', 'mnist-cnn', ...options)).toMatchObject({ status: 0 });
  expect(await programHere(FOLDER, 'export', 'run', '--out', 'exported')).toMatchObject({ status: 0 });
  writeFiles(join(FOLDER, 'page'), { 'index.html': PAGE, 'main.js': MAIN, 'package.json': '{}' });
  cpSync(join(ROOT, 'examples/browser'), join(FOLDER, 'example'), { recursive: true });
  for (const name of ['page', 'example']) {
    mkdirSync(join(FOLDER, name, 'node_modules'));
    symlinkSync(ROOT, join(FOLDER, name, 'node_modules', 'unisum'));
  }
  cpSync(join(FOLDER, 'exported'), join(FOLDER, 'site', 'model'), { recursive: true });
  cpSync(join(ROOT, 'shared/kernels/wasm'), join(FOLDER, 'site', 'kernels'), { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}, 60_000);

afterAll(() => {
  server.close();
  rmSync(FOLDER, { recursive: true });
});

/** Bundles a folder. @returns the address of the page */
async function bundled(from: string, bundler: keyof typeof BUNDLERS): Promise<string> {
  const to = `${from}-${bundler}`;
  if (!existsSync(join(FOLDER, 'site', to)))
    await BUNDLERS[bundler](join(FOLDER, from), join(FOLDER, 'site', to));
  return `${url}${to}/`;
}

describe.skipIf(!isInstalled('Chrome'))('a page of Chrome, if it is installed', { timeout: 60_000 }, () => {
  const bundlers = Object.keys(BUNDLERS) as (keyof typeof BUNDLERS)[];
  it.each(bundlers.filter(isBundlerInstalled))(
    'predicts with the bits of Node, with each build of the kernels: %s',
    async (bundler) => {
      const random = new SeededRandom(4);
      const rows = Uint8Array.from({ length: ROWS * 28 * 28 }, () => random.below(256));
      const model = await load(join(FOLDER, 'exported'), { backend: 'wasm' });
      const outputs = await model.predict(rows);
      const expected = sha256Hex(new Uint8Array(outputs.buffer));
      const [first] = model.read(outputs);
      await model.dispose();

      const page = await open(await launch('Chrome'), await bundled('page', bundler));
      await page.waitForFunction('window.isReady === true');
      const kernels = bundler === 'esbuild' ? `, '/kernels'` : '';
      for (const backend of ['wasm', 'wasm-exact']) {
        const said = (await page.evaluate(`ask('${backend}', [${rows}]${kernels})`)) as Said;
        expect(said.backend).toBe(backend);
        expect(sha256Hex(Uint8Array.from(said.bytes))).toBe(expected);
        expect(said.first).toEqual(first);
      }
    },
  );

  it('of the example recognises what is drawn, and is small', async () => {
    const address = await bundled('example', 'Vite');
    const folder = join(FOLDER, 'site', 'example-Vite');
    cpSync(join(FOLDER, 'exported'), join(folder, 'model'), { recursive: true });
    const page = await open(await launch('Chrome'), address);
    await page.waitForSelector('button:enabled');
    const { x, y } = await page.$eval('canvas', (canvas) => canvas.getBoundingClientRect().toJSON());
    await page.mouse.move(x + 100, y + 40);
    await page.mouse.down();
    await page.mouse.move(x + 110, y + 200, { steps: 4 });
    await page.mouse.up();
    await page.waitForFunction(`/^This is a \\d$/.test(document.querySelector('output').textContent)`);
    const shares = (await page.$$eval('meter', (all) => all.map(({ value }) => value))) as number[];
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 3);
    await page.click('button');
    expect(await page.$eval('output', ({ textContent }) => textContent)).toBe('Draw a digit above');
    const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(js|html)$/.test(name),
    );
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
    expect(bytes).toBeLessThan(SCRIPT_BYTES_MAX);
  });

  it('says in one line what cannot be loaded', async () => {
    const page = await open(await launch('Chrome'), await bundled('page', 'Vite'));
    // The browser itself complains about what is not there.
    page.removeAllListeners('console');
    await page.waitForFunction('window.isReady === true');
    expect(await page.evaluate(`refused('./nowhere')`)).toBe(
      `${url}page-Vite/nowhere/model.json cannot be loaded: HTTP status 404`,
    );
    expect(await page.evaluate(`refused({ model: '{}', weights: new Uint8Array(4) })`)).toMatch(
      /^model\.json is not a model of this version of unisum/,
    );
    expect(await page.evaluate(`refused('/model', { backend: 'native' })`)).toMatch(
      /^load\(\) takes the backend auto, wasm or wasm-exact, not "native"$/,
    );
  });
});
