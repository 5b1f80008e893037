import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { formatWatchUrl, parseJoinUrl, parseWatchUrl } from '../../shared/protocol/join-url.js';
import { FROM_WORKER } from '../protocol/samples.js';
import { Peer } from '../support/peer.js';
import { type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';
import { PacedExecutor, TestWorker } from '../support/test-worker.js';

/* What the watch line of a run gives access to, and what it does not. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-watching-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];

afterAll(() => rmSync(ROOT, { recursive: true }));

/** The watch line that a run prints. */
async function watchUrl(program: Program): Promise<string> {
  const [, url] = await program.prints(/watch '(wss?:[^']+)'/);
  return url as string;
}

/** Joins a worker that brings a run to this step and holds it there. */
async function pacedWorker(url: string, step: number): Promise<{ node: TestWorker; pace: PacedExecutor }> {
  let pace: PacedExecutor | undefined;
  const node = await TestWorker.join(url, 'guest', (inner) => {
    pace = new PacedExecutor(inner, step);
    return pace;
  });
  await pace?.whenHeld();
  return { node, pace: pace as unknown as PacedExecutor };
}

function kinds(stdout: string): string[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { kind: string }).kind);
}

describe('a run that is watched', () => {
  it('shows its progress and result to holders of the watch line, and ends with the same weights', async () => {
    const coordinator = start([...RUN, '--steps', 12, '--listen', '127.0.0.1:0', '--tls', '--workers', 0]);
    const url = await watchUrl(coordinator);
    const joinUrl = await coordinator.joinUrl();
    expect(url).toBe(formatWatchUrl(parseJoinUrl(joinUrl)));
    const { node, pace } = await pacedWorker(joinUrl, 6);
    const watchers = [start(['watch', url, '--json']), start(['watch', url]), start(['watch', joinUrl])];
    const [json, plain, byJoinLine] = watchers as [Program, Program, Program];
    await Promise.all([
      json.prints(/watching the run/),
      plain.prints(/step +6\/12/),
      byJoinLine.prints(/step +6\/12/),
    ]);
    pace.release();
    const { status, stdout, stderr } = await coordinator.ended;
    await node.leave();
    expect(status, stderr).toBe(0);
    const { weightsSha256, trainLoss, metrics } = JSON.parse(stdout);
    const quiet = JSON.parse((await runHere(...RUN, '--steps', 12)).stdout);
    expect(weightsSha256).toBe(quiet.weightsSha256);

    const output = await json.ended;
    expect(output.status, output.stderr).toBe(0);
    const told = new Set(kinds(output.stdout));
    // The tables of members come with the ticks of the clock: a short run may have none.
    told.delete('members');
    expect(told).toEqual(new Set(['history', 'progress', 'event', 'metrics', 'ended']));
    const lines = output.stdout.trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) as string)).toMatchObject({
      ...{ kind: 'ended', exitReason: 'finished', steps: 12, weightsSha256, trainLoss, metrics },
    });
    for (const program of [plain, byJoinLine]) {
      const shown = await program.ended;
      expect(shown).toMatchObject({ status: 0, stdout: '' });
      expect(shown.stderr).toMatch(/epoch \d.*: testAccuracy 0\.\d+|epoch \d.*: testLoss/);
      expect(shown.stderr).toMatch(
        /\nthe run is finished: 12 steps in .*\ntrainLoss .*\nweights {2}[0-9a-f]{64}\n$/,
      );
    }
  });

  it('gives neither work nor data nor weights to holders of the watch line', async () => {
    const coordinator = start([...RUN, '--steps', 12, '--listen', '127.0.0.1:0', '--workers', 0]);
    const url = await watchUrl(coordinator);
    const joins = await runHere('worker', url);
    expect(joins.status).toBe(2);
    expect(joins.stderr).toMatch(/^unisum: the join URL is malformed: it permits watching only/);
    const { token, port } = parseWatchUrl(url);
    const works = await runHere('worker', `ws://127.0.0.1:${port}/#${token}`);
    expect(works.status).toBe(1);
    expect(works.stderr).toMatch(/\nunisum: [^\n]*wrong token: copy the whole join line[^\n]*\n$/);
    const wrong = await runHere('watch', url.replace(/#.*/, `#${'x'.repeat(22)}`));
    expect(wrong).toMatchObject({ status: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/^unisum: 127\.0\.0\.1:\d+: wrong token[^\n]*\n$/);
    for (const message of FROM_WORKER.filter(({ kind }) => kind !== 'pong')) {
      const peer = Peer.connect(await coordinator.joinUrl(), { path: '/watch' });
      await peer.hears('challenge');
      peer.say(message);
      expect((await peer.ended).reason, message.kind).toMatch(/^not a message of this protocol/);
    }
    const heavy = await Peer.connect(await coordinator.joinUrl(), { path: '/watch' }).watches();
    const sums = FROM_WORKER.find(({ kind }) => kind === 'partial-sums') as object;
    heavy.say(sums, new Uint8Array(2 ** 20));
    expect((await heavy.ended).reason).toBe('a message has a payload of 1048576 bytes, more than 0');
    const leaving = start(['watch', url]);
    await leaving.prints(/^watching the run at 127/m);
    leaving.signal('SIGINT');
    expect(await leaving.ended).toMatchObject({ status: 130, stdout: '' });
  });

  it('is found again by watch clients when its coordinator is killed and the run resumed', async () => {
    const folder = temporaryFolder();
    const options = ['--steps', 60, '--listen', '127.0.0.1:0', '--workers', 0, '--checkpoint-every', 20];
    const first = start([...RUN, ...options, '--run-dir', 'r'], folder);
    const { node, pace } = await pacedWorker(await first.joinUrl(), 40);
    const watcher = start(['watch', await watchUrl(first), '--json']);
    await watcher.prints(/watching the run/);
    first.signal('SIGKILL');
    const again = start(['train', '--resume', 'r', '--workers', 0, '--json'], folder);
    await watcher.prints(/no coordinator .*; trying again.*watching the run/s);
    pace.release();
    const { stdout, stderr, status } = await again.ended;
    expect(status, stderr).toBe(0);
    await node.leave();
    const output = await watcher.ended;
    expect(output.status, output.stderr).toBe(0);
    const last = JSON.parse(output.stdout.trimEnd().split('\n').at(-1) as string);
    expect(last).toMatchObject({ kind: 'ended', weightsSha256: JSON.parse(stdout).weightsSha256 });
  });
});

it('a malformed watch line is refused', async () => {
  const { status, stderr } = await runHere('watch', 'ws://127.0.0.1:1/watch#short');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^unisum: the join URL is malformed: the token after # is incomplete[^\n]*\n$/);
});
