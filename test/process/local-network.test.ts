import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { skipped } from '../support/disturbed-run.js';
import { missing, Network } from '../support/network.js';
import { type Program, start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';

/* Runs that are announced by multicast DNS, and workers that find them: machines of their own in network namespaces. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-local-network-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
const OPEN = [...RUN, '--listen', '0.0.0.0:0', '--workers', 0];
const why = missing();
if (why !== undefined) skipped('cannot find runs in a network', why);

let network: Network | undefined;
afterEach(() => {
  network?.close();
  network = undefined;
});
afterAll(() => rmSync(ROOT, { recursive: true }));

const on = (machine: number, ...words: (string | number)[]): Program =>
  start(words, undefined, { namespace: network?.machine(machine) });
/** What follows # in a join line. */
const secretOf = async (coordinator: Program): Promise<string> =>
  (await coordinator.joinUrl()).replace(/^.*#/, '');

describe.skipIf(why !== undefined)('a worker without a join line', () => {
  it('lists the runs of the local network that are announced, and joins one with what only its owner knows', async () => {
    network = new Network(3);
    const first = on(0, ...OPEN, '--steps', 20, '--announce');
    const second = on(1, ...OPEN, '--steps', 30, '--announce', '--no-tls');
    on(1, ...OPEN, '--steps', 20);
    const [firstUrl, secondUrl] = [await first.joinUrl(), await second.joinUrl()];
    const portOf = (url: string): string => new URL(url).port;
    const worker = on(2, 'worker', '--name', 'far');
    const [, list = ''] = await worker.prints(/looking for runs .*\n((?:.|\n)*)\nwhich one\? \(1-2\) $/);
    const own = hostname();
    expect(
      list
        .split('\n')
        .map((line) => line.replace(/^\d {2}/, ''))
        .sort(),
    ).toEqual(
      [
        `mnist-mlp on ${own}, ${network.address(0)}:${portOf(firstUrl)}`,
        `mnist-mlp on ${own}, ${network.address(1)}:${portOf(secondUrl)}, not encrypted`,
      ].sort(),
    );
    const number = list.split('\n').findIndex((line) => line.includes(network?.address(0) as string)) + 1;
    worker.types(String(number));
    await worker.prints(/what follows # in the join line of mnist-mlp on \S+: $/);
    worker.types(await secretOf(first));
    const { status, stdout, stderr } = await first.ended;
    expect(status, stderr).toBe(0);
    expect(await worker.ended).toMatchObject({ status: 0 });
    const alone = await runHere(...RUN, '--steps', 20, '--workers', 1);
    expect((JSON.parse(stdout) as TrainResult).weightsSha256).toBe(
      (JSON.parse(alone.stdout) as TrainResult).weightsSha256,
    );
    // That run has ended, and says so; the one that is left needs no choice, but its own secret.
    const late = on(2, 'worker', '--name', 'late');
    await late.prints(/\n1 {2}mnist-mlp on [^\n]+, not encrypted\nwhat follows # /);
    late.types('x'.repeat(22));
    const refused = await late.ended;
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/wrong token: copy the whole join line[^\n]*\n$/);
  }, 120_000);

  it('says how to go on where no run is announced, or nothing is answered', async () => {
    network = new Network(2);
    const none = await on(1, 'worker').ended;
    expect(none.status).toBe(2);
    expect(none.stderr).toMatch(
      /\nunisum: no run is announced on the local network: give the join line [^\n]*\n$/,
    );
    const coordinator = on(0, ...OPEN, '--announce');
    await coordinator.joinUrl();
    const silent = on(1, 'worker');
    await silent.prints(/what follows # /);
    silent.types();
    expect(await silent.ended).toMatchObject({ status: 2 });
    expect((await silent.ended).stderr).toMatch(
      /\nunisum: nothing was answered: give the join line that the run printed\n$/,
    );
  }, 120_000);
});

it('a run that nobody else can reach is not announced', async () => {
  expect(await programHere(ROOT, 'train', '--announce')).toMatchObject({
    status: 2,
    stderr: 'unisum: --announce needs an address that other machines can reach, such as --listen 0.0.0.0:0\n',
  });
});
