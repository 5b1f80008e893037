import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { TrainResult } from '../../trainer/result.js';
import type { Executor } from '../../worker/executor.js';
import { type Ended, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';
import { AdmittedExecutor, PacedExecutor, TestWorker } from '../support/test-worker.js';

/* However workers and coordinators leave a run: nothing is lost, nothing hangs, and both sides report it. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-leaving-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const BASE = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
const RUN = [...BASE, '--steps', 12];
const OPEN = [...RUN, '--listen', '127.0.0.1:0'];
/** Longer than any test; Ctrl-C ends it. A local worker keeps it running whatever the guest does. */
const LONG = [
  ...BASE,
  '--steps',
  10_000_000,
  '--listen',
  '127.0.0.1:0',
  '--workers',
  1,
  '--min-workers',
  2,
  '--placement',
  'all',
];

let uninterrupted: TrainResult;

beforeAll(async () => {
  uninterrupted = resultOf(await runHere(...RUN), 0);
});
afterAll(() => rmSync(ROOT, { recursive: true }));

function resultOf({ status, stdout, stderr }: Ended, expected: number): TrainResult {
  expect(status, stderr).toBe(expected);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return JSON.parse(stdout) as TrainResult;
}

/** The weights are those of a run of as many steps without joins and departures. */
async function expectUninterrupted({ steps, weightsSha256 }: TrainResult): Promise<void> {
  expect(steps).toBeGreaterThan(0);
  const reference = resultOf(await runHere(...BASE, '--steps', steps, '--workers', 1), 0);
  expect(weightsSha256).toBe(reference.weightsSha256);
}

/** Joins a worker of the test that holds the run at step 6. */
async function joinPacer(url: string): Promise<{ node: TestWorker; pace: PacedExecutor }> {
  let pace: PacedExecutor | undefined;
  const node = await TestWorker.join(url, 'pacer', (inner) => {
    pace = new PacedExecutor(inner, 6);
    return pace;
  });
  return { node, pace: pace as PacedExecutor };
}

describe('Ctrl-C', () => {
  it('ends a run after the current step, with a checkpoint and status 130', async () => {
    const folder = temporaryFolder();
    const coordinator = start([...OPEN, '--workers', 0], folder);
    const { node, pace } = await joinPacer(await coordinator.joinUrl());
    await pace.whenHeld();
    coordinator.signal('SIGINT');
    const result = resultOf(await coordinator.ended, 130);
    expect(await node.ended).toMatchObject({ exitReason: 'interrupted', reason: 'the run is interrupted' });
    await node.leave();
    expect(result.steps).toBe(6);
    const { tensors } = await loadSafetensors(join(folder, result.runDir, 'weights.safetensors'));
    expect(weightsSha256(tensors)).toBe(result.weightsSha256);
    expect(result.weightsSha256).toBe(resultOf(await runHere(...BASE, '--steps', 6), 0).weightsSha256);
  });

  it('ends a run that waits for workers', async () => {
    const coordinator = start([...OPEN, '--workers', 0]);
    await coordinator.joinUrl();
    coordinator.signal('SIGINT');
    expect(resultOf(await coordinator.ended, 130)).toMatchObject({ steps: 0, workers: [] });
  });

  it('takes a worker out of a run, which continues without it', async () => {
    const coordinator = start(LONG);
    const worker = start(['worker', await coordinator.joinUrl(), '--name', 'guest', '--json']);
    await coordinator.prints(/guest joined(.|\n)*epoch 1:/);
    worker.signal('SIGINT');
    const { status, stdout } = await worker.ended;
    expect(status).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ reason: 'left by its user' });
    await coordinator.prints(/guest left \(left by its user\); 1 at work/);
    coordinator.signal('SIGINT');
    await expectUninterrupted(resultOf(await coordinator.ended, 130));
  });

  it('ends a worker that waits for its coordinator', async () => {
    const worker = start(['worker', `ws://127.0.0.1:1/#${'x'.repeat(22)}`]);
    await worker.prints(
      /no coordinator \(cannot connect to 127.0.0.1:1: nothing listens there\); trying again/,
    );
    worker.signal('SIGINT');
    expect((await worker.ended).status).toBe(130);
  });
});

describe('a run whose workers have all left', () => {
  it('says that it waits, and continues when a worker joins', async () => {
    const coordinator = start([...OPEN, '--workers', 0]);
    const url = await coordinator.joinUrl();
    const { node, pace } = await joinPacer(url);
    await pace.whenHeld();
    await node.leave();
    await coordinator.prints(/pacer left \(.*\); nobody is at work: the run waits for someone to join/);
    const worker = start(['worker', url, '--name', 'guest']);
    const result = resultOf(await coordinator.ended, 0);
    expect(result.weightsSha256).toBe(uninterrupted.weightsSha256);
    expect(result.workers.map(({ name }) => name)).toEqual(['pacer', 'guest']);
    expect((await worker.ended).status).toBe(0);
  });
});

describe('a machine that is refused for a time', () => {
  it('is told how long, waits, and joins', async () => {
    const coordinator = start([...OPEN, '--workers', 0, '--min-workers', 2]);
    const url = await coordinator.joinUrl();
    const notices: string[] = [];
    const join = async (): Promise<TestWorker> => {
      let executor: AdmittedExecutor | undefined;
      const wrap = (inner: Executor): Executor => {
        executor = new AdmittedExecutor(inner);
        return executor;
      };
      const worker = await TestWorker.join(url, 'visitor', wrap, (text) => notices.push(text));
      await executor?.whenAdmitted();
      return worker;
    };
    for (let visit = 1; visit <= 5; visit++) await (await join()).leave();
    expect(notices).toEqual([]);
    const visitor = await join();
    expect(notices).toEqual([
      expect.stringMatching(
        /^refused for now \(its machine joins and leaves again and again: .*\); trying again in [01]\.?\d* s$/,
      ),
    ]);
    const worker = start(['worker', url, '--name', 'guest']);
    expect(resultOf(await coordinator.ended, 0).weightsSha256).toBe(uninterrupted.weightsSha256);
    expect(await visitor.leave()).toMatchObject({ exitReason: 'finished' });
    expect((await worker.ended).status).toBe(0);
  });
});

describe('a worker that loses its coordinator', () => {
  it('says so, tries again, and rejoins', async () => {
    const coordinator = start(LONG);
    const worker = start(['worker', await coordinator.joinUrl(), '--name', 'guest']);
    await coordinator.prints(/guest joined(.|\n)*epoch 1:/);
    worker.signal('SIGSTOP');
    await coordinator.prints(/guest left \(silent for 3 s\); 1 at work/);
    worker.signal('SIGCONT');
    await worker.prints(/no coordinator \(silent for 3 s\); trying again in 0.25 s/);
    await coordinator.prints(/guest left(.|\n)*guest joined \(.*\); 2 at work/);
    coordinator.signal('SIGINT');
    await expectUninterrupted(resultOf(await coordinator.ended, 130));
    expect((await worker.ended).status).toBe(0);
  });

  it('reports that another run has replaced its own', async () => {
    const first = start([...OPEN, '--workers', 0, '--min-workers', 2]);
    const url = await first.joinUrl();
    const worker = start(['worker', url, '--name', 'guest']);
    await first.prints(/guest joined/);
    first.signal('SIGKILL');
    await worker.prints(/no coordinator \(the connection was lost\); trying again in 0.25 s/);
    await worker.prints(/nothing listens there\); trying again in 0.5 s/);
    const second = start([...RUN, '--listen', new URL(url).host, '--workers', 0]);
    await second.prints(/refused .*: wrong token/);
    const { status, stdout, stderr } = await worker.ended;
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/\nunisum: [^\n]*: wrong token: copy the whole join line that the run printed\n$/);
  });
});
