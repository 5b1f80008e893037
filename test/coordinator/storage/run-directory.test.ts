import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEASE_FILE, Lease } from '../../../coordinator/storage/lease.js';
import { readChain } from '../../../coordinator/storage/metrics-chain.js';
import {
  continueRunDirectory,
  createRunDirectory,
  RunDirectory,
  type RunRequest,
} from '../../../coordinator/storage/run-directory.js';
import { VirtualClock } from '../../../shared/actor/virtual-clock.js';
import { AssertionError, UserError } from '../../../shared/errors.js';
import { loadSafetensors } from '../../../shared/files/safetensors.js';
import { weightsSha256 } from '../../../shared/files/tensors.js';
import { refusalOf } from '../../support/refusal.js';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'unisum-run-'));
});
afterEach(() => rm(parent, { recursive: true }));

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const HEAD = { event: 'begun' };
const CLOCK = new VirtualClock();
const TENSORS = [{ name: 'w', shape: [2], values: Float32Array.of(1, 2) }];

async function create(request: Partial<RunRequest> = {}): Promise<RunDirectory> {
  return createRunDirectory({
    recipe: 'mnist-mlp',
    config: { batch: 128 },
    options: { batch: '128' },
    now: NOW,
    head: HEAD,
    clock: CLOCK,
    parent,
    ...request,
  });
}

/** The lines of metrics.jsonl without their hashes, which must fit. */
async function linesOf(path: string): Promise<unknown[]> {
  const lines: unknown[] = [];
  const { fault } = await readChain(join(path, 'metrics.jsonl'), (record) => {
    lines.push(record);
  });
  expect(fault).toBeUndefined();
  return lines;
}

async function finish(run: RunDirectory): Promise<void> {
  run.record({ step: 0, loss: 2.5 });
  await run.saveWeights(TENSORS);
  run.close();
}

describe('a new run directory', () => {
  it('is named by recipe, time and configuration, and holds the configuration and the options', async () => {
    const run = await create();
    run.close();
    expect(dirname(run.path)).toBe(parent);
    expect(basename(run.path)).toMatch(/^mnist-mlp-20260102T030405Z-[0-9a-f]{6}$/);
    expect(JSON.parse(await readFile(join(run.path, 'config.json'), 'utf8'))).toEqual({
      format: 'unisum-run/2',
      recipe: 'mnist-mlp',
      started: '2026-01-02T03:04:05.678Z',
      config: { batch: 128 },
      options: { batch: '128' },
    });
    expect((await readdir(run.path)).sort()).toEqual(['config.json', 'metrics.jsonl']);
  });

  it('is a different one for each run of the same second', async () => {
    const runs = [await create(), await create(), await create({ config: { batch: 64 } })];
    for (const run of runs) run.close();
    const names = runs.map((run) => basename(run.path));
    expect(new Set(names).size).toBe(3);
    expect(names[1]).toBe(`${names[0]}-2`);
  });

  it('has a name without separators, for any name of the recipe', async () => {
    const run = await create({ recipe: '../../my recipes/net.ts' });
    run.close();
    expect(dirname(run.path)).toBe(parent);
    expect(basename(run.path)).toMatch(/^my-recipes-net\.ts-2026/);
  });

  it('is created with its parents', async () => {
    const run = await create({ parent: join(parent, 'a', 'b') });
    run.close();
    expect(await readdir(join(parent, 'a', 'b'))).toEqual([basename(run.path)]);
  });
});

describe('a directory given by --run-dir', () => {
  it('may be new, or empty', async () => {
    const fresh = await create({ directory: join(parent, 'a', 'fresh') });
    fresh.close();
    await mkdir(join(parent, 'empty'));
    const empty = await create({ directory: join(parent, 'empty') });
    empty.close();
    expect((await readdir(empty.path)).sort()).toEqual(['config.json', 'metrics.jsonl']);
  });

  it('may be of an earlier run, whose files are removed', async () => {
    const directory = join(parent, 'again');
    await finish(await create({ directory }));
    await writeFile(join(directory, 'notes.txt'), 'mine');
    const second = await create({ directory, config: { batch: 1 } });
    second.close();
    expect((await readdir(directory)).sort()).toEqual(['config.json', 'metrics.jsonl', 'notes.txt']);
    expect(await linesOf(directory)).toEqual([HEAD]);
    expect(await readFile(join(directory, 'config.json'), 'utf8')).toContain('"batch": 1');
  });

  it.each<[string, Record<string, string>]>([
    ['other files', { 'thesis.tex': 'x' }],
    ['a config.json of something else', { 'config.json': '{"format":"other"}' }],
    ['a config.json that is no JSON', { 'config.json': '{' }],
    ['weights without a configuration', { 'weights.safetensors': 'x' }],
  ])('is refused when it holds %s, which stay', async (_, files) => {
    const directory = join(parent, 'foreign');
    await mkdir(directory);
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    expect(await refusalOf(create({ directory }))).toBe(
      `${directory} holds other files; name a new or empty directory with --run-dir DIR`,
    );
    for (const [name, text] of Object.entries(files)) {
      expect(await readFile(join(directory, name), 'utf8')).toBe(text);
    }
    expect((await readdir(directory)).length).toBe(Object.keys(files).length);
  });

  it('is refused with a remedy where nothing can be written', async () => {
    const file = join(parent, 'file');
    await writeFile(file, '');
    expect(await refusalOf(create({ directory: file }))).toMatch(
      /^cannot use .*file as the run .* in the way; choose/,
    );
    expect(await refusalOf(create({ directory: join(file, 'x') }))).toMatch(
      /part of the path is a file.*; choose/,
    );
    expect(await refusalOf(create({ parent: join(file, 'x') }))).toMatch(
      /^cannot make .*--run-dir.*part of the path/,
    );
    expect(await refusalOf(create({ directory: '/proc/unisum' }))).toMatch(
      /^cannot use \/proc\/unisum .*; c/,
    );
  });
});

describe('metrics', () => {
  it('are lines of JSON in order, written on flush and at the end', async () => {
    const run = await create();
    const file = join(run.path, 'metrics.jsonl');
    run.record({ step: 0, loss: 2.5 });
    expect(await readFile(file, 'utf8')).toBe('');
    run.flush();
    expect(await linesOf(run.path)).toEqual([HEAD, { step: 0, loss: 2.5 }]);
    run.record({ step: 1, loss: Number.NaN, best: Number.NEGATIVE_INFINITY, note: 'a\nb', done: true });
    run.close();
    run.close();
    const text = await readFile(file, 'utf8');
    expect(text.split('\n').length).toBe(4);
    expect(text.endsWith('"}\n')).toBe(true);
    expect((await linesOf(run.path))[2]).toEqual({
      step: 1,
      loss: 'NaN',
      best: '-Infinity',
      note: 'a\nb',
      done: true,
    });
    expect(() => run.record({ step: 2 })).toThrow(AssertionError);
  });

  it('are written when they exceed the size of a buffer', async () => {
    const run = await create();
    const file = join(run.path, 'metrics.jsonl');
    const lines = 10_000;
    for (let step = 0; step < lines; step++) run.record({ step, loss: step / 7 });
    const written = await readFile(file, 'utf8');
    run.close();
    const whole = await readFile(file, 'utf8');
    expect(whole.length - written.length).toBeLessThan(2 ** 16);
    const steps = whole
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => (JSON.parse(line) as { step: number }).step);
    expect(steps).toEqual(Array.from({ length: lines }, (_, i) => i));
  });

  it.runIf(process.platform === 'linux')('stop the run with a remedy when the disk is full', async () => {
    await symlink('/dev/full', join(parent, 'metrics.jsonl'));
    const run = new RunDirectory(parent, Lease.take(parent, CLOCK), HEAD);
    run.record({ step: 0 });
    expect(() => run.flush()).toThrow(UserError);
    run.record({ step: 1 });
    expect(() => run.close()).toThrow(/^cannot write .*metrics\.jsonl: the disk is full; free some space/);
    run.close();
  });
});

describe('the directory of a run that goes on', () => {
  const request = { recipe: 'mnist-mlp', config: {}, options: {}, now: NOW, head: { event: 'resumed' } };

  it('goes on behind what is whole, without the weights of the earlier end', async () => {
    const first = await create({ directory: parent });
    await finish(first);
    const file = join(parent, 'metrics.jsonl');
    const whole = await readFile(file, 'utf8');
    await writeFile(file, `${whole}{"step":1,"loss":2.`);
    const lease = Lease.take(parent, CLOCK);
    const chain = await readChain(file, () => {});
    const run = await continueRunDirectory(parent, lease, chain, request);
    run.record({ step: 1, loss: 2 });
    run.close();
    const after = [{ event: 'resumed' }, { step: 1, loss: 2 }];
    expect(await linesOf(parent)).toEqual([HEAD, { step: 0, loss: 2.5 }, ...after]);
    expect((await readFile(file, 'utf8')).startsWith(whole)).toBe(true);
    expect((await readdir(parent)).sort()).toEqual(['config.json', 'metrics.jsonl']);
  });

  it('begins anew where nothing is whole', async () => {
    (await create({ directory: parent })).close();
    await writeFile(join(parent, 'metrics.jsonl'), Buffer.alloc(5000));
    const lease = Lease.take(parent, CLOCK);
    const chain = await readChain(join(parent, 'metrics.jsonl'), () => {});
    expect(chain).toMatchObject({ lines: 0, bytes: 0, fault: { line: 1, isTorn: true } });
    (await continueRunDirectory(parent, lease, chain, request)).close();
    expect(await linesOf(parent)).toEqual([{ event: 'resumed' }]);
  });

  it('keeps a copy of a record of which more than a line is removed', async () => {
    await finish(await create({ directory: parent }));
    const file = join(parent, 'metrics.jsonl');
    const whole = await readFile(file, 'utf8');
    const damaged = whole.replace('2.5', '2.6');
    await writeFile(file, damaged);
    const lease = Lease.take(parent, CLOCK);
    (await continueRunDirectory(parent, lease, await readChain(file, () => {}), request)).close();
    expect(await linesOf(parent)).toEqual([HEAD, { event: 'resumed' }]);
    expect(await readFile(`${file}.damaged`, 'utf8')).toBe(damaged);
    (await create({ directory: parent })).close();
    expect((await readdir(parent)).sort()).toEqual(['config.json', 'metrics.jsonl']);
  });

  it('is not written to by a process that was paused while another took it over', async () => {
    const run = await create({ directory: parent });
    run.record({ step: 1, loss: 2 });
    const file = join(parent, LEASE_FILE);
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"nonce":"[^"]*"/, '"nonce":"another"'));
    CLOCK.advance(4000);
    const before = await readFile(join(parent, 'metrics.jsonl'), 'utf8');
    expect(() => run.flush()).toThrow(/ was taken over by another process; /);
    expect(() => run.close()).toThrow(/ was taken over by another process; /);
    await expect(run.saveWeights(TENSORS)).rejects.toThrow(/ was taken over by another process; /);
    expect(await readFile(join(parent, 'metrics.jsonl'), 'utf8')).toBe(before);
    expect((await readdir(parent)).sort()).toEqual(['config.json', 'lease.json', 'metrics.jsonl']);
  });

  it('is not taken by a second run while the first writes there', async () => {
    const run = await create({ directory: parent });
    expect(await refusalOf(create({ directory: parent }))).toMatch(/ is in use by process \d+ on /);
    expect(await readdir(parent)).toContain('metrics.jsonl');
    run.close();
    (await create({ directory: parent })).close();
  });
});

describe('weights', () => {
  it('are saved with the hash of their canonical bytes', async () => {
    const run = await create();
    const hash = await run.saveWeights(TENSORS);
    run.close();
    const { tensors, metadata } = await loadSafetensors(join(run.path, 'weights.safetensors'));
    expect(weightsSha256(tensors)).toBe(hash);
    expect(metadata).toEqual({ producer: 'unisum', weightsSha256: hash });
  });
});
