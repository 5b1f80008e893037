import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseWatchUrl } from '../../shared/protocol/join-url.js';
import type { TrainResult } from '../../trainer/result.js';
import { run, start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* What the operate line of a run does to it, by real processes. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-operating-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA, '--workers', 1];

/** Six processes start, one after another. */
const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

/** Status and text of an answer. */
function get(port: number, path: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, rejectUnauthorized: false };
    const sent = request(options, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve([response.statusCode ?? 0, Buffer.concat(pieces).toString()]));
    });
    sent.on('error', reject);
    sent.end();
  });
}

it(
  'pauses and stops a run, which has the weights of one that nobody touched',
  async () => {
    const coordinator = start([...RUN, '--steps', 10_000_000, '--listen', '127.0.0.1:0', '--tls']);
    const [, url = ''] = await coordinator.prints(/control '(wss:[^']+)' pause/);
    const [, watchUrl = ''] = await coordinator.prints(/watch '(wss:[^']+)'/);
    const { port, token } = parseWatchUrl(watchUrl);
    expect(await get(port, '/healthz')).toEqual([200, 'ok\n']);
    expect(await get(port, '/readyz')).toEqual([200, 'ready\n']);
    expect((await get(port, '/metrics'))[0]).toBe(401);
    const [status200, metrics] = await get(port, '/metrics', { authorization: `Bearer ${token}` });
    expect([status200, metrics]).toEqual([200, expect.stringMatching(/^unisum_steps_planned 10000000$/m)]);
    const paused = await run('control', url, 'pause');
    expect(paused).toMatchObject({ status: 0, stdout: '' });
    expect(paused.stderr).toMatch(/^the run is paused after the step under way; \d+ steps are done\n$/);
    await coordinator.prints(/operator at 127\.0\.0\.1: the run is paused/);
    const again = await run('control', url, 'pause');
    expect(again).toMatchObject({ status: 1, stderr: 'unisum: the run is paused already\n' });
    expect((await run('control', url, 'stop')).status).toBe(0);
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(130);
    const { steps, weightsSha256, exitReason } = JSON.parse(stdout) as TrainResult;
    expect(exitReason).toBe('interrupted');
    const alone = JSON.parse((await run(...RUN, '--steps', steps)).stdout) as TrainResult;
    expect(weightsSha256).toBe(alone.weightsSha256);
  },
  TIMEOUT_MS,
);
