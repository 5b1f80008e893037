import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { killedAfterCheckpoint, undisturbed } from '../support/disturbed-run.js';
import { type Ended, type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';

/* A run whose coordinator is taken over by a process that stands by, without a person or a scheduler. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-standby-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const TRAIN = ['mnist-mlp', '--batch', '64', '--leaf', '8', '--steps', '4000'];
const RUN = ['train', ...TRAIN, '--data', DATA, '--run-dir', 'r', '--listen', '127.0.0.1:0', '--tls'];
const STANDBY = ['train', '--resume', 'r', '--standby', '--json'];
const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

const hashOf = ({ stdout }: Ended): string => (JSON.parse(stdout) as TrainResult).weightsSha256;

/** The one that goes on with the run. */
function firstToResume(standbys: readonly Program[]): Promise<Program> {
  return Promise.any(
    standbys.map(async (standby) => {
      await standby.prints(/^r resumes from step \d+$/m);
      return standby;
    }),
  );
}

describe('a process that stands by', () => {
  it(
    'takes the run over when its coordinator is killed or shut down; workers return, and the weights are the same',
    async () => {
      const folder = temporaryFolder();
      const coordinator = start([...RUN, '--workers', 0, '--placement', 'all'], folder);
      const worker = start(['worker', await coordinator.joinUrl(), '--name', 'far', '--stay'], folder);
      const standbys = [start(STANDBY, folder), start(STANDBY, folder), start(STANDBY, folder)];
      for (const standby of standbys)
        await standby.prints(
          new RegExp(
            `^standby: process ${coordinator.pid} on \\S+ since \\S+ trains in r; this process takes over when it is gone$`,
            'm',
          ),
        );
      await killedAfterCheckpoint(coordinator, folder);
      const second = await firstToResume(standbys);
      const others = standbys.filter((standby) => standby !== second);
      for (const other of others) await other.prints(new RegExp(`^standby: process ${second.pid} on`, 'm'));
      await second.prints(/far joined/);
      await second.prints(/epoch \d+: /);
      second.signal('SIGTERM');
      expect((await second.ended).status).toBe(143);
      const third = await firstToResume(others);
      const last = await third.ended;
      expect(last.status, last.stderr).toBe(0);
      worker.signal('SIGTERM');
      expect(hashOf(last)).toBe(await undisturbed(TRAIN, DATA));
      const idle = await (others.find((other) => other !== third) as Program).ended;
      expect(idle).toMatchObject({ status: 0, stdout: '' });
      expect(idle.stderr).toMatch(/\nnothing to take over: the run in r is finished\n$/);
      expect(await programHere(folder, 'verify', 'r')).toMatchObject({ status: 0 });
    },
    TIMEOUT_MS,
  );

  it('does not go on with a run that an operator has stopped, and needs to know whose place it takes', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const folder = temporaryFolder();
    const coordinator = start([...RUN, '--steps', 10_000_000, '--workers', 1], folder);
    const [, operate = ''] = await coordinator.prints(/control '(wss:[^']+)' pause/);
    const standby = start(STANDBY, folder);
    await standby.prints(/^standby: process/m);
    expect(await programHere(folder, 'control', operate, 'stop')).toMatchObject({ status: 0 });
    expect((await coordinator.ended).status).toBe(130);
    const { status, stdout, stderr } = await standby.ended;
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(
      /\nnothing to take over: the run in r was stopped by an operator; to go on with it: {2}npm start -- --resume r\n$/,
    );
    expect(await programHere(folder, 'train', 'mnist-mlp', '--standby')).toMatchObject({
      status: 2,
      stderr: 'unisum: --standby takes a run over: name its directory with --resume DIR\n',
    });
  });
});
