import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { sessionResolver } from '../../../scripts/commands/session-resolver.js';
import { systemClock } from '../../../shared/actor/clock.js';
import type { NeuronNumbers, RunFacts, StepFacts } from '../../../shared/protocol/view-facts.js';
import { TravelRun } from '../../../trainer/travel/travel-run.js';
import { TravelView } from '../../../trainer/travel/travel-view.js';
import { serveView } from '../../../trainer/travel/view-server.js';
import { trainHere } from '../../support/in-process.js';
import { smallData, writeFiles } from '../../support/process-data.js';

/* Any step of a run is computed again, and what is shown there is what the run had there. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-view-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const DIGITS = ['--data', DATA, '--batch', 64, '--leaf-size', 8];
afterAll(() => rmSync(ROOT, { recursive: true }));

const at = (name: string): string => join(ROOT, name);

async function train(name: string, words: readonly (string | number)[]): Promise<string> {
  const all = [...words, '--workers', 1, '--schedule', 'constant', '--run-dir', at(name)];
  const { problem, result, text } = await trainHere(all);
  expect(problem, text).toBeUndefined();
  return result?.weightsSha256 as string;
}

async function view(name: string): Promise<TravelView> {
  const run = await TravelRun.open(at(name), {
    resolve: sessionResolver({ recipe: undefined, data: undefined }, process.stderr),
    computers: { workers: 1, threads: 1, backend: 'auto', clock: systemClock },
  });
  const opened = new TravelView(run, 'auto');
  onTestFinished(() => opened.close());
  return opened;
}

describe('a view of a run', () => {
  it.each([
    ['iris', [] as (string | number)[], 17],
    ['mnist-mlp', DIGITS, 5],
    ['mnist-cnn', DIGITS, 3],
  ])(
    'shows in step k of %s the weights of a run that was stopped at k, to the bit',
    async (recipe, words, k) => {
      await train(`${recipe}-long`, [recipe, ...words, '--steps', k + 4]);
      const stopped = await train(`${recipe}-short`, [recipe, ...words, '--steps', k]);
      const travelled = await view(`${recipe}-long`);
      expect((await travelled.step(k)).weightsSha256).toBe(stopped);
      // Going back after going on gives the same.
      await travelled.step(k + 2);
      await travelled.step(k - 1);
      expect((await travelled.step(k)).weightsSha256).toBe(stopped);
      await expect(travelled.step(k + 5)).rejects.toThrow(
        `the run has the steps 0 to ${k + 4}, not ${k + 5}`,
      );
    },
  );

  it('shows z, y, delta, gradients and the update of a neuron, which fit each other', async () => {
    const lr = 0.125;
    await train('plain', ['mnist-mlp', ...DIGITS, '--steps', 4, '--optimizer', 'sgd', '--lr', lr]);
    const travelled = await view('plain');
    const [layer, next] = (await travelled.facts()).layers.filter(({ op }) => op === 'dense');
    // Random images leave many neurons without any effect.
    let seen = await travelled.neuron(2, 9, layer?.name as string, 0);
    const isIdle = ({ weights }: NeuronNumbers): boolean =>
      weights.every(({ gradient }) => gradient.every((value) => value === 0));
    for (let unit = 1; isIdle(seen) && unit < seen.units; unit++)
      seen = await travelled.neuron(2, 9, layer?.name as string, unit);
    const [bias, kernel] = [...seen.weights].sort((a, b) => a.w.length - b.w.length);
    if (kernel === undefined || bias === undefined) throw new Error('a dense layer has two parameters');
    const z = seen.x.reduce((sum, x, i) => sum + x * (kernel.w[i] as number), bias.w[0] as number);
    expect(seen.z).toHaveLength(1);
    expect(seen.z[0]).toBeCloseTo(z, 4);
    expect(seen.activation).toBe('relu');
    expect(seen.y[0]).toBe(Math.max(0, seen.z[0] as number));
    // Plain SGD: the update is -lr times the gradient, up to the rounding of the weights.
    kernel.gradient.forEach((gradient, i) => {
      expect(kernel.update[i]).toBeCloseTo(-lr * gradient, 6);
    });
    expect(kernel.gradient.some((gradient) => gradient !== 0)).toBe(true);
    // The gradient of a bias is the sum of delta over the batch.
    let sum = 0;
    for (let sample = 0; sample < 64; sample++)
      sum += (await travelled.neuron(2, sample, next?.name as string, 1)).delta[0] as number;
    const last = await travelled.neuron(2, 0, next?.name as string, 1);
    expect(last.weights.find(({ w }) => w.length === 1)?.gradient[0]).toBeCloseTo(sum, 6);
    const [far] = (await travelled.compare(0, 4)).filter(({ name }) => name === kernel.name);
    expect(far?.distance).toBeGreaterThan(0);
    expect((await travelled.compare(2, 2)).every(({ distance }) => distance === 0)).toBe(true);
  });

  it('shows the map of a filter', async () => {
    await train('filters', ['mnist-cnn', ...DIGITS, '--steps', 2]);
    const travelled = await view('filters');
    const layer = (await travelled.facts()).layers.find(({ op }) => op === 'conv2d')?.name as string;
    const { z, y, delta, weights } = await travelled.neuron(1, 0, layer, 2);
    expect(z.length).toBeGreaterThan(100);
    expect(y).toEqual(z.map((value) => Math.max(0, value)));
    expect(delta).toHaveLength(z.length);
    expect(weights.map(({ w }) => w.length).sort((a, b) => a - b)[0]).toBe(1);
  });

  it('answers only with the token, within bounds, and says what is wrong', async () => {
    await train('served', ['iris', '--steps', 21]);
    const server = await serveView(await view('served'), { host: '127.0.0.1', port: 0 }, systemClock);
    onTestFinished(() => server.close());
    const { origin, hash } = new URL(server.url);
    const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${origin}${path}`, { headers });
    const own = { authorization: `Bearer ${hash.slice(1)}` };
    expect((await ask('/view/run.json')).status).toBe(401);
    expect((await ask('/view/run.json', { authorization: 'Bearer x' })).status).toBe(401);
    expect((await ask('/view/run.json', { ...own, origin: 'https://example.com' })).status).toBe(421);
    expect(await (await ask('/view/run.json', own)).json()).toMatchObject({ recipe: 'iris', steps: 21 });
    const step = (await (await ask('/view/step.json?step=3', own)).json()) as StepFacts;
    expect(step.samples.length).toBeGreaterThan(0);
    for (const path of [
      'step.json',
      'step.json?step=-1',
      'step.json?step=22',
      'neuron.json?step=1&sample=0&unit=0&layer=no',
    ])
      expect((await ask(`/view/${path}`, own)).status, path).toBe(400);
    expect((await ask('/view/nothing.json', own)).status).toBe(404);
    const url = '/view/neuron.json?step=3&sample=0&unit=1&layer=dense';
    const [a, b] = await Promise.all([ask(url, own), ask(url, own)]);
    expect((await a.json()) as NeuronNumbers).toEqual(await b.json());
    const page = await ask('/view');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await ask('/watch')).status).toBe(404);
  });

  it('has the steps that a run adds while it is shown, under new settings too', async () => {
    await train('growing', ['iris', '--steps', 8, '--lr', 0.1]);
    const travelled = await view('growing');
    expect(await travelled.facts()).toMatchObject({ steps: 8, ended: 'finished' });
    const at8 = (await travelled.step(8)).weightsSha256;
    expect(
      (await trainHere(['--resume', at('growing'), '--steps', 16, '--lr', 0.01])).problem,
    ).toBeUndefined();
    expect(await travelled.facts()).toMatchObject({ steps: 16, ended: 'finished' });
    expect((await travelled.step(8)).weightsSha256).toBe(at8);
    expect(await travelled.step(16)).toMatchObject({ isAsRecorded: true });
    // The step after the change is one of the new settings.
    expect((await travelled.neuron(8, 0, 'dense', 0)).weights.length).toBeGreaterThan(0);
  });

  it('lists the pages of reports in the directory of the run, and serves them in a sandbox', async () => {
    await train('reported', ['iris', '--steps', 4]);
    const lr = ['<!doctype html><title>Unisum: learning rates</title>', '<script>1</script>'].join('\n');
    writeFiles(at('reported'), { 'rates.html': lr, 'other.html': '<title>of somebody else</title>' });
    const server = await serveView(await view('reported'), { host: '127.0.0.1', port: 0 }, systemClock);
    onTestFinished(() => server.close());
    const { origin, hash } = new URL(server.url);
    const headers = { authorization: `Bearer ${hash.slice(1)}` };
    const facts = (await (await fetch(`${origin}/view/run.json`, { headers })).json()) as RunFacts;
    const rates = facts.reports.find(({ title }) => title === 'learning rates');
    expect(facts.reports.map(({ title }) => title)).not.toContain('of somebody else');
    const page = await fetch(new URL(rates?.path as string, `${origin}/view`));
    expect(await page.text()).toBe(lr);
    expect(page.headers.get('content-security-policy')).toMatch(/^sandbox allow-scripts; default-src 'none'/);
    for (const path of [
      '/view/reports/x/rates.html',
      `${rates?.path.slice(1, -10)}..%2fconfig.json`,
      `${rates?.path.slice(1, -10)}config.json`,
    ])
      expect((await fetch(`${origin}${path}`)).status, path).toBe(404);
    for (const path of [
      'receipt.json',
      'session.json?step=0',
      'state.bin?step=0',
      'chunk.bin?step=0&set=train&index=0',
    ]) {
      expect((await fetch(`${origin}/view/${path}`)).status, path).toBe(401);
      expect((await fetch(`${origin}/view/${path}`, { headers })).status, path).toBe(200);
    }
    for (const path of ['state.bin?step=9', 'chunk.bin?step=0&set=train&index=7', 'session.json'])
      expect((await fetch(`${origin}/view/${path}`, { headers })).status, path).toBe(400);
  });
});
