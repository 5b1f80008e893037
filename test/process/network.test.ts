import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { missing, Network } from '../support/network.js';
import { type Ended, type Program, start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

/*
 * A coordinator and two workers in network namespaces of their own, connected by a switch that delays packets, loses
 * packets, or partitions the network. Everything except the network is real.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-network-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const BASE = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
const WORKERS = [1, 2];
const STEPS_MAX = 10_000_000;
const NARROW = ['tbf', 'rate', '100mbit', 'burst', '4kb', 'limit', '24kb'];
const LOSSY = ['netem', 'delay', '5ms', '2ms', 'loss', '1%'];

let network: Network | undefined;
afterEach(() => {
  network?.close();
  network = undefined;
});
afterAll(() => rmSync(ROOT, { recursive: true }));

/** Whether the queueing discipline is missing here; says so in the output. */
function isMissing(...discipline: string[]): boolean {
  const why = missing(...discipline);
  if (why !== undefined)
    process.stderr.write(`SKIPPED, cannot create a network ${discipline.join(' ')} here: ${why}\n`);
  return why !== undefined;
}

function begin(...args: (string | number)[]): Program {
  network = new Network(1 + WORKERS.length);
  const open = ['--listen', `${network.address(0)}:0`, ...args];
  return start([...BASE, ...open], undefined, { namespace: network.machine(0) });
}

function guest(url: string, i: number): Program {
  return start(['worker', url, '--name', `guest ${i}`], undefined, { namespace: network?.machine(i) });
}

async function expectUndisturbed({ status, stdout, stderr }: Ended, expected: number): Promise<void> {
  expect(status, stderr).toBe(expected);
  const { steps, weightsSha256 } = JSON.parse(stdout) as TrainResult;
  expect(steps).toBeGreaterThan(0);
  const reference = await runHere(...BASE, '--steps', steps, '--workers', 1);
  expect(reference.status, reference.stderr).toBe(0);
  expect(weightsSha256).toBe((JSON.parse(reference.stdout) as TrainResult).weightsSha256);
}

describe.skipIf(isMissing())('machines that are partitioned during a run', () => {
  it('are replaced or awaited, rejoin after the partition, and no bit differs', async () => {
    const coordinator = begin('--steps', STEPS_MAX, '--workers', 0, '--min-workers', 2);
    const url = await coordinator.joinUrl();
    const guests = WORKERS.map((i) => guest(url, i));
    await coordinator.prints(/2 at work(.|\n)*epoch 1:/);
    network?.disconnect(1);
    await coordinator.prints(/guest 1 left \(silent for 3 s\); 1 at work/);
    network?.disconnect(2);
    await coordinator.prints(/guest 2 left .*; nobody is at work: the run waits for someone to join/);
    for (const i of WORKERS) network?.reconnect(i);
    await coordinator.prints(/the run waits(.|\n)*2 at work/);
    coordinator.signal('SIGINT');
    await expectUndisturbed(await coordinator.ended, 130);
    for (const { ended } of guests) expect((await ended).status).toBe(0);
  });
});

describe.each([
  ['narrow, with a short queue that drops packets', NARROW],
  ['slow, and loses 1 packet in 100', LOSSY],
])('a network that is %s', (_what, discipline) => {
  it.skipIf(isMissing(...discipline))('costs time, but changes no bit', async () => {
    const coordinator = begin('--steps', 12, '--workers', 0, '--min-workers', 2);
    const url = await coordinator.joinUrl();
    for (const i of WORKERS) network?.shape(i, ...discipline);
    for (const i of WORKERS) guest(url, i);
    const end = await coordinator.ended;
    expect(WORKERS.map((i) => network?.lost(i) ?? 0).reduce((a, b) => a + b)).toBeGreaterThan(0);
    await expectUndisturbed(end, 0);
  });
});
