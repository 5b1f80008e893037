import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import type { TrainResult } from '../../trainer/result.js';
import { type Ended, type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';
import { FaultyExecutor, TestWorker } from '../support/test-worker.js';

/*
 * The guarantee of the program, tested with real processes: the same weights bit for bit, whichever workers compute them.
 * 500 samples in batches of 64 end in a short batch with a short leaf; 24 steps are three epochs.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-bits-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--steps', 24, '--json'];
const OPEN = [...RUN, '--data', DATA, '--listen', '127.0.0.1:0'];

/** The result with one local worker. */
let reference: TrainResult;

beforeAll(async () => {
  reference = resultOf(await runHere(...RUN, '--data', DATA, '--workers', 1));
});
afterAll(() => rmSync(ROOT, { recursive: true }));

/** The result of a run that has succeeded: the only line on stdout. */
function resultOf({ status, stdout, stderr }: Ended): TrainResult {
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

async function resultFrom(program: Program): Promise<TrainResult> {
  return resultOf(await program.ended);
}

function joining(url: string, name: string, ...options: (string | number)[]): Program {
  return start(['worker', url, '--name', name, ...options]);
}

/** Samples by worker. */
function samplesOf({ workers }: TrainResult): Record<string, number> {
  return Object.fromEntries(workers.map(({ name, samples }) => [name, samples]));
}

describe('the same weights', () => {
  it.each([2, 3, 7])('with %i local workers', async (workers) => {
    const result = resultOf(await runHere(...RUN, '--data', DATA, '--workers', workers));
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    expect(result.workers).toHaveLength(workers);
    expect(result).toMatchObject({ steps: 24, samples: 1500, metrics: reference.metrics });
  });

  it('with two threads in each of two workers', async () => {
    const result = resultOf(await runHere(...RUN, '--data', DATA, '--workers', 2, '--threads', 2));
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    expect(result.workers.map(({ threads }) => threads)).toEqual([2, 2]);
  });

  it('with one local and two remote workers, each on another kernel build', async () => {
    const coordinator = start([
      ...OPEN,
      '--workers',
      1,
      '--min-workers',
      3,
      '--placement',
      'all',
      '--backend',
      'wasm',
    ]);
    const url = await coordinator.joinUrl();
    // Without a C compiler there are only two builds.
    const third = nativeIsas().length > 0 ? 'native' : 'wasm';
    const workers = [
      joining(url, 'exact', '--backend', 'wasm-exact', '--json'),
      joining(url, 'third', '--backend', third, '--threads', 2, '--json'),
    ];
    const result = await resultFrom(coordinator);
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    const builds = result.workers.map(({ name, backend }) => `${name}: ${backend}`).sort();
    expect(builds).toEqual(['exact: wasm-exact', 'local 1: wasm', `third: ${third}`]);
    expect(Object.values(samplesOf(result)).reduce((sum, samples) => sum + samples, 0)).toBe(1500);
    for (const { status, stdout } of await Promise.all(workers.map(({ ended }) => ended))) {
      expect(status).toBe(0);
      const { samples, reason } = JSON.parse(stdout);
      expect(samples).toBeGreaterThan(0);
      expect(reason).toBe('the run is finished');
    }
  });

  it('when one of several remote workers is killed at work and another joins', async () => {
    const long = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
    const open = ['--steps', 10_000_000, '--listen', '127.0.0.1:0', '--workers', 0, '--min-workers', 2];
    const coordinator = start([...long, ...open]);
    const url = await coordinator.joinUrl();
    const steady = joining(url, 'steady');
    const victim = joining(url, 'victim');
    await coordinator.prints(/2 at work/);
    const successor = joining(url, 'successor');
    await coordinator.prints(/successor joined/);
    // The frozen victim gets work that it never finishes.
    victim.signal('SIGSTOP');
    await coordinator.prints(/victim left \(.*\); 2 at work/);
    victim.signal('SIGKILL');
    coordinator.signal('SIGINT');
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(130);
    const result = JSON.parse(stdout) as TrainResult;
    const uninterrupted = resultOf(await runHere(...long, '--steps', result.steps, '--workers', 1));
    expect(result.weightsSha256).toBe(uninterrupted.weightsSha256);
    const { victim: before, successor: after, steady: always } = samplesOf(result);
    expect(before).toBeGreaterThan(0);
    expect(after).toBeGreaterThan(0);
    expect((before ?? 0) + (after ?? 0) + (always ?? 0)).toBe(result.samples);
    for (const program of [steady, successor]) expect((await program.ended).status).toBe(0);
  });

  it('when a worker lies in an audited step: it is expelled with evidence, and its work is done again', async () => {
    const folder = temporaryFolder();
    // Without end, until the lie is found: answers that come too late are not compared, on however few steps it depends.
    const long = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
    const open = ['--steps', 10_000_000, '--listen', '127.0.0.1:0', '--workers', 1, '--min-workers', 2];
    const audited = ['--placement', 'all', '--audit', 1, '--backend', 'wasm-exact'];
    const coordinator = start([...long, ...open, ...audited], folder);
    const url = await coordinator.joinUrl();
    const node = await TestWorker.join(url, 'liar', (inner) => new FaultyExecutor(inner, 11));
    expect(await node.ended).toMatchObject({ exitReason: 'refused' });
    await node.leave();
    coordinator.signal('SIGINT');
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(130);
    const result = JSON.parse(stdout) as TrainResult;
    const uninterrupted = resultOf(await runHere(...long, '--steps', result.steps, '--workers', 1));
    expect(result.weightsSha256).toBe(uninterrupted.weightsSha256);
    const lines = readFileSync(join(folder, result.runDir, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const evidence = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'expelled');
    expect(evidence).toMatchObject({ member: 'liar', parameter: expect.stringMatching(/\w/) });
    expect(evidence.step).toBeGreaterThanOrEqual(11);
    expect(evidence.hash).not.toBe(evidence.rightHash);
  });

  it('when a worker lies and part of the work is audited: steps that depend on it are rolled back and done again', async () => {
    const long = ['train', '--batch', 64, '--leaf', 8, '--optimizer', 'adam', '--json', '--data', DATA];
    const folder = temporaryFolder();
    const open = ['--steps', 10_000_000, '--listen', '127.0.0.1:0', '--workers', 0, '--min-workers', 3];
    const coordinator = start([...long, ...open, '--audit', 0.3], folder);
    const url = await coordinator.joinUrl();
    const [liar, ...honest] = await Promise.all([
      // The first answers of an unknown machine are all confirmed: it lies after many more, most of which are not.
      TestWorker.join(url, 'liar', (inner) => new FaultyExecutor(inner, 200)),
      ...['one', 'other'].map((name) => TestWorker.join(url, name, (inner) => inner)),
    ]);
    expect(await liar?.ended).toMatchObject({ exitReason: 'refused' });
    await liar?.leave();
    // A rollback may begin at step 0 again: the run ends only after it has trained on.
    await coordinator.prints(/liar left .*\n(.*\n)*?epoch \d/);
    coordinator.signal('SIGINT');
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(130);
    const result = JSON.parse(stdout) as TrainResult;
    // One that owed an answer when the run went back was told to join again, and may find the run over.
    for (const node of honest) await node.leave();
    const uninterrupted = resultOf(await runHere(...long, '--steps', result.steps, '--workers', 1));
    expect(result.weightsSha256).toBe(uninterrupted.weightsSha256);
    const lines = readFileSync(join(folder, result.runDir, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const back = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'rolled-back');
    expect(back).toMatchObject({ member: 'liar' });
    expect(back.step).toBeGreaterThanOrEqual(200);
    expect(back.to).toBeLessThanOrEqual(back.since);
  });

  it('from another working directory', async () => {
    const elsewhere = temporaryFolder();
    const program = start([...RUN, '--data', relative(elsewhere, DATA), '--run-dir', 'here'], elsewhere);
    const result = await resultFrom(program);
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    expect(isAbsolute(result.runDir)).toBe(false);
    expect(hashOfFile(join(elsewhere, result.runDir, 'weights.safetensors'))).toBe(reference.weightsSha256);
  });
});

/** SHA-256 of a safetensors file's tensors in name order, without code of this project. */
function hashOfFile(path: string): string {
  const bytes = readFileSync(path);
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__, ...tensors } = JSON.parse(bytes.toString('utf8', 8, data));
  const hash = createHash('sha256');
  for (const name of Object.keys(tensors).sort()) {
    const [begin, end] = tensors[name].data_offsets;
    hash.update(bytes.subarray(data + begin, data + end));
  }
  return hash.digest('hex');
}

describe('a difference', () => {
  it.each([
    ['the leaf size', ['--leaf', 16]],
    ['the seed', ['--seed', 1]],
  ])('in %s gives other weights', async (_what, options) => {
    const result = resultOf(await runHere(...RUN, '--data', DATA, ...options));
    expect(result.weightsSha256).not.toBe(reference.weightsSha256);
  });

  it('of one bit in one sample gives other weights', async () => {
    const files = smallData();
    const images = files['train-images-idx3-ubyte'];
    images[images.length - 1] = (images.at(-1) as number) ^ 1;
    const data = writeFiles(temporaryFolder(), files);
    const result = resultOf(await runHere(...RUN, '--data', data));
    expect(result.weightsSha256).not.toBe(reference.weightsSha256);
  });

  it.each([
    ['in no step: the same weights', Number.POSITIVE_INFINITY, true],
    ['from one step on: other weights', 11, false],
  ])('in a partial sum of a remote worker, %s', async (_what, step, same) => {
    // It is the only worker, so no other one can compute its leaves first.
    const coordinator = start([...OPEN, '--workers', 0]);
    const url = await coordinator.joinUrl();
    const node = await TestWorker.join(url, 'faulty', (inner) => new FaultyExecutor(inner, step));
    const { weightsSha256 } = await resultFrom(coordinator);
    await node.leave();
    expect(weightsSha256 === reference.weightsSha256).toBe(same);
  });
});
