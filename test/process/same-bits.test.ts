import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { type Ended, type Program, run, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { FaultyWorkplace, TestNode } from '../support/process-node.js';

/*
 * The promise of the whole program, kept by real processes: the same weights, bit for bit, whoever computed them. 500
 * samples in batches of 64 end in a ragged batch with a ragged leaf; 24 steps are three epochs.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-bits-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--steps', 24, '--json'];
const OPEN = [...RUN, '--data', DATA, '--listen', '127.0.0.1:0'];

/** What one local worker makes of it. */
let reference: TrainResult;

beforeAll(async () => {
  reference = resultOf(await run(...RUN, '--data', DATA, '--workers', 1));
});
afterAll(() => rmSync(ROOT, { recursive: true }));

/** The result of a run that succeeded: its last line on stdout, which holds nothing else. */
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

/** Who did how much, by name. */
function samplesOf({ workers }: TrainResult): Record<string, number> {
  return Object.fromEntries(workers.map(({ name, samples }) => [name, samples]));
}

describe('the same weights', () => {
  it.each([2, 3, 7])('by %i local workers', async (workers) => {
    const result = resultOf(await run(...RUN, '--data', DATA, '--workers', workers));
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    expect(result.workers).toHaveLength(workers);
    expect(result).toMatchObject({ steps: 24, samples: 1500, metrics: reference.metrics });
  });

  it('by two threads in each of two nodes', async () => {
    const result = resultOf(await run(...RUN, '--data', DATA, '--workers', 2, '--threads', 2));
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    expect(result.workers.map(({ threads }) => threads)).toEqual([2, 2]);
  });

  it('by one local and two remote workers, each on another build of the kernels', async () => {
    const coordinator = start([...OPEN, '--workers', 1, '--min-workers', 3, '--backend', 'wasm']);
    const url = await coordinator.joinUrl();
    // Where there is no C compiler, there are two builds only.
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

  it('by remote workers of which one is killed at work while another joins', async () => {
    const long = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
    const open = ['--steps', 10_000_000, '--listen', '127.0.0.1:0', '--workers', 0, '--min-workers', 2];
    const coordinator = start([...long, ...open]);
    const url = await coordinator.joinUrl();
    const steady = joining(url, 'steady');
    const victim = joining(url, 'victim');
    await coordinator.prints(/2 at work/);
    const successor = joining(url, 'successor');
    await coordinator.prints(/successor joined/);
    // Frozen, the victim takes work that it will never do.
    victim.signal('SIGSTOP');
    await coordinator.prints(/victim left \(.*\); 2 at work/);
    victim.signal('SIGKILL');
    coordinator.signal('SIGINT');
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(130);
    const result = JSON.parse(stdout) as TrainResult;
    const undisturbed = resultOf(await run(...long, '--steps', result.steps, '--workers', 1));
    expect(result.weightsSha256).toBe(undisturbed.weightsSha256);
    const { victim: before, successor: after, steady: always } = samplesOf(result);
    expect(before).toBeGreaterThan(0);
    expect(after).toBeGreaterThan(0);
    expect((before ?? 0) + (after ?? 0) + (always ?? 0)).toBe(result.samples);
    for (const program of [steady, successor]) expect((await program.ended).status).toBe(0);
  });

  it('when one lies in a step that is audited: it is expelled with a receipt, and its work is done anew', async () => {
    const folder = temporaryFolder();
    const coordinator = start([...OPEN, '--workers', 1, '--min-workers', 2, '--audit', 1], folder);
    const url = await coordinator.joinUrl();
    const node = await TestNode.join(url, 'liar', (inner) => new FaultyWorkplace(inner, 11));
    const result = await resultFrom(coordinator);
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    expect(await node.ended).toMatchObject({ ending: 'refused' });
    await node.leave();
    const lines = readFileSync(join(folder, result.runDir, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const receipt = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'expelled');
    expect(receipt).toMatchObject({ member: 'liar', parameter: expect.stringMatching(/\w/) });
    expect(receipt.step).toBeGreaterThanOrEqual(11);
    expect(receipt.hash).not.toBe(receipt.rightHash);
  });

  it('when one lies where part of the work is audited: all steps that rest on what it said are done anew', async () => {
    const long = ['train', '--batch', 64, '--leaf', 8, '--steps', 240, '--optimizer', 'adam', '--json'];
    const folder = temporaryFolder();
    const open = ['--data', DATA, '--listen', '127.0.0.1:0', '--workers', 0, '--min-workers', 3];
    const coordinator = start([...long, ...open, '--audit', 0.3], folder);
    const url = await coordinator.joinUrl();
    const nodes = await Promise.all([
      TestNode.join(url, 'liar', (inner) => new FaultyWorkplace(inner, 40)),
      ...['one', 'other'].map((name) => TestNode.join(url, name, (inner) => inner)),
    ]);
    const result = await resultFrom(coordinator);
    const endings = await Promise.all(nodes.map((node) => node.leave()));
    expect(endings.map(({ ending }) => ending)).toEqual(['refused', 'finished', 'finished']);
    const undisturbed = resultOf(await run(...long, '--data', DATA, '--workers', 1));
    expect(result.weightsSha256).toBe(undisturbed.weightsSha256);
    const lines = readFileSync(join(folder, result.runDir, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const back = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'reverted');
    expect(back).toMatchObject({ member: 'liar' });
    expect(back.step).toBeGreaterThanOrEqual(40);
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

/** SHA-256 of a safetensors file's tensors in name order, by nothing of ours. */
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

describe('a bit that differs', () => {
  it.each([
    ['another size of the leaves', ['--leaf', 16]],
    ['another seed', ['--seed', 1]],
  ])('because of %s gives other weights', async (_what, options) => {
    const result = resultOf(await run(...RUN, '--data', DATA, ...options));
    expect(result.weightsSha256).not.toBe(reference.weightsSha256);
  });

  it('in one sample gives other weights', async () => {
    const files = smallData();
    const images = files['train-images-idx3-ubyte'];
    images[images.length - 1] = (images.at(-1) as number) ^ 1;
    const data = writeFiles(temporaryFolder(), files);
    const result = resultOf(await run(...RUN, '--data', data));
    expect(result.weightsSha256).not.toBe(reference.weightsSha256);
  });

  it.each([
    ['in no step: the same weights', Number.POSITIVE_INFINITY, true],
    ['from one step on: other weights', 11, false],
  ])('in a partial sum of a remote worker, %s', async (_what, step, same) => {
    const coordinator = start([...OPEN, '--workers', 1, '--min-workers', 2]);
    const url = await coordinator.joinUrl();
    const node = await TestNode.join(url, 'faulty', (inner) => new FaultyWorkplace(inner, step));
    const { weightsSha256 } = await resultFrom(coordinator);
    await node.leave();
    expect(weightsSha256 === reference.weightsSha256).toBe(same);
  });
});
