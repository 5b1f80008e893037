import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrainResult } from '../../../trainer/result.js';
import { PROGRAM, temporaryFolder } from '../../support/process.js';
import { smallData, writeFiles } from '../../support/process-data.js';
import { programHere } from '../../support/program-here.js';
import { missingForSlurm, SlurmCluster } from '../../support/slurm-cluster.js';

const TRAIN = ['train', '--data', 'digits', '--batch', 16, '--leaf', 8, '--steps', 2000];

const missing = missingForSlurm();
if (missing !== undefined) process.stderr.write(`SKIPPED, cannot start a Slurm cluster here: ${missing}\n`);

describe.skipIf(missing !== undefined)('a job of a Slurm cluster', () => {
  it('is given a node more, is preempted, queued again, and resumes, and no bit differs', async () => {
    const folder = temporaryFolder();
    writeFiles(join(folder, 'digits'), smallData());
    const cluster = await SlurmCluster.start(folder);
    try {
      const submit = async (...words: (string | number)[]): Promise<Record<string, string>> => {
        const { status, stdout, stderr } = await programHere(folder, 'slurm', '--json', ...words);
        expect(status, stderr).toBe(0);
        return JSON.parse(stdout) as Record<string, string>;
      };
      const { jobId, log, joinFile } = await submit(
        ...['--run-dir', 'run', '--', ...TRAIN, '--min-workers', 2, '--json'],
      );
      cluster.awaits(`grep -q '1 at work' ${log}`);
      // It waits for a second worker: a job that adds a node.
      const add = (): Promise<Record<string, string>> =>
        submit('--', 'worker', '--join-file', joinFile as string, '--stay', '--name', 'more');
      const more = await add();
      cluster.awaits(`grep -q 'more joined' ${log} && grep -q 'epoch 1:' ${log}`);
      const [, operate = ''] = /unisum -- control '([^']+)'/.exec(readFileSync(log as string, 'utf8')) ?? [];
      // So that it cannot end before it is preempted.
      expect((await programHere(folder, 'control', operate, 'pause')).status).toBe(0);
      cluster.run(
        'sbatch',
        '--partition=high',
        '--nodelist=n1',
        '--exclusive',
        '--output=/dev/null',
        '--wrap=true',
      );
      cluster.awaits(`squeue -h -j ${jobId} -t PD | grep -q .`);
      expect(readFileSync(log as string, 'utf8')).toMatch(/interrupted at step \d+, with a checkpoint/);
      // Slurm would wait for two minutes.
      cluster.awaits(`scontrol update JobId=${jobId} StartTime=now`);
      // The other job may have been preempted too.
      cluster.awaits(`scancel --quiet ${more.jobId}`);
      const again = await add();
      cluster.awaits(`grep -q 'exitReason":"finished' ${log}`);
      const [line = ''] = readFileSync(log as string, 'utf8')
        .split('\n')
        .filter((one) => one.includes('"exitReason":"finished"'));
      const alone = await programHere(folder, ...TRAIN, '--workers', 1, '--json');
      const { weightsSha256 } = JSON.parse(alone.stdout) as TrainResult;
      expect((JSON.parse(line) as TrainResult).weightsSha256).toBe(weightsSha256);
      expect(readFileSync(log as string, 'utf8')).toMatch(/resumes from step \d+/);
      cluster.run('scancel', again.jobId as string);
    } finally {
      await cluster.stop();
    }
  }, 150_000);

  it('that runs is given a node more, a worker there joins, and no bit differs', async () => {
    const folder = temporaryFolder();
    writeFiles(join(folder, 'digits'), smallData());
    const cluster = await SlurmCluster.start(folder);
    try {
      const words = ['--run-dir', 'run', '--', ...TRAIN, '--min-workers', 2, '--placement', 'all', '--json'];
      const first = ['--sbatch=--nodelist=n1', '--json'];
      const { status, stdout, stderr } = await programHere(folder, 'slurm', ...first, ...words);
      expect(status, stderr).toBe(0);
      const { jobId, log, joinFile } = JSON.parse(stdout) as Record<string, string>;
      cluster.awaits(`grep -q '1 at work' ${log}`);
      // Slurm gives a running job only what another job gives up, which leaves a script for the first one in this folder.
      const expansion = ['--nodes=1', '--exclude=n1', `--dependency=expand:${jobId}`];
      cluster.run('salloc', '--no-shell', '--quiet', ...expansion);
      const more = cluster
        .run('squeue', '-h', '-o', '%i')
        .split('\n')
        .find((id) => id !== jobId);
      cluster.awaits(`cd ${folder} && scontrol update JobId=${more} NumNodes=0`);
      cluster.awaits(`squeue -h -j ${jobId} -o '%D %N' | grep -q '^2 n.1-2.$'`);
      const place = [`--jobid=${jobId}`, '--nodes=1', '--ntasks=1', '--nodelist=n2', '--overlap'];
      const worker = ['worker', '--join-file', joinFile as string, '--name', 'grown'];
      cluster.run('srun', ...place, process.execPath, PROGRAM, ...worker);
      cluster.awaits(`! squeue -h -j ${jobId} | grep -q .`);
      const text = readFileSync(log as string, 'utf8');
      expect(text).toContain('grown joined');
      const line = text.split('\n').find((one) => one.includes('"exitReason":"finished"')) ?? '';
      const alone = await programHere(folder, ...TRAIN, '--workers', 1, '--json');
      const { weightsSha256 } = JSON.parse(alone.stdout) as TrainResult;
      expect((JSON.parse(line) as TrainResult).weightsSha256).toBe(weightsSha256);
    } finally {
      await cluster.stop();
    }
  }, 100_000);

  it('is an array for a sweep, whose results are those of a sweep on one machine', async () => {
    const folder = temporaryFolder();
    const cluster = await SlurmCluster.start(folder);
    try {
      const words = ['sweep', 'iris', '--epochs', 2, '--vary', 'lr=0.1,0,0.01', '--json'];
      const { status, stdout, stderr } = await programHere(
        ...[folder, 'slurm', '--json', '--', ...words, '--sweep-dir', 'array'],
      );
      expect(status, stderr).toBe(0);
      const { jobId, trials } = JSON.parse(stdout) as Record<string, string>;
      expect(trials).toBe(3);
      cluster.awaits(`! squeue -h -j ${jobId} | grep -q .`);
      const logs = [1, 2, 3].map((n) => readFileSync(join(folder, 'array', `trial-00${n}.log`), 'utf8'));
      expect(logs[1]).toContain('--lr takes a number above 0');
      // Whichever task ended last has ranked all. Two that end at once find each other ended, and both do.
      const rankings = logs.filter((log) => log.includes('"best":{'));
      const ends = (text = ''): unknown => {
        const line = text.split('\n').find((one) => one.startsWith('{')) ?? '';
        return { ...(JSON.parse(line) as object), path: undefined };
      };
      const alone = await programHere(folder, ...words, '--workers', 1, '--sweep-dir', 'alone');
      expect(rankings).not.toEqual([]);
      for (const ranking of rankings) expect(ends(ranking)).toEqual(ends(alone.stdout));
      const files = (name: string): string[] =>
        readdirSync(join(folder, name)).filter((file) => !file.endsWith('.log'));
      expect(files('array').toSorted()).toEqual(files('alone').toSorted());
    } finally {
      await cluster.stop();
    }
  }, 100_000);
});
