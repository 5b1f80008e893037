import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { trainScript, workerScript } from '../../../scripts/slurm/job-script.js';
import { temporaryFolder } from '../../support/process.js';
import { programHere, runHere } from '../../support/program-here.js';

const JOB = {
  ...{ name: 'unisum-xor', nodes: 3, cpus: 4, time: '1:00:00', partition: 'long', sbatch: ['--account=lab'] },
  ...{ log: '/runs/x.log', program: ['/usr/bin/node', 'unisum.js'] },
};

describe('the script of a job', () => {
  it('says to Slurm what was asked for', () => {
    const lines = trainScript({ ...JOB, words: [], runDir: '/runs/x' }).split('\n');
    for (const option of [
      ...['--nodes=3', '--cpus-per-task=4', '--time=1:00:00', '--partition=long', '--account=lab'],
      ...['--output=/runs/x.log', '--requeue', '--signal=B:USR1@90'],
    ])
      expect(lines).toContain(`#SBATCH ${option}`);
  });

  it('is a script for the shell that hands words on as they are', () => {
    const words = ["it's", '$HOME', 'a b', '`id`', '--lr', '0.1'];
    const script = trainScript({ ...JOB, words, runDir: "/runs/it's here", program: ['printf', '%s\\n'] });
    expect(spawnSync('sh', ['-n'], { input: script }).status).toBe(0);
    const line = script.split('\n').find((one) => one.includes(' train ')) ?? '';
    const command = line.slice(line.indexOf('printf'), line.indexOf(' "$@"'));
    expect(spawnSync('sh', ['-c', command]).stdout.toString()).toBe(`${['train', ...words].join('\n')}\n`);
    expect(spawnSync('sh', ['-n'], { input: workerScript({ ...JOB, words }) }).status).toBe(0);
  });

  it('has options of one line each', () => {
    expect(() => workerScript({ ...JOB, words: [], sbatch: ['--x\nrm -rf /'] })).toThrow(
      'an option of sbatch is one line',
    );
  });
});

describe('unisum slurm', () => {
  it.each([
    [['train', '--listen', 'x:1'], /^unisum: the job decides --listen: leave it out after the dashes/],
    [['train', '--resume'], /^unisum: the job decides --resume: /],
    [['train', '--lissten', 'x'], /^unisum: unknown option '--lissten'/],
    [['train', 'nosuch'], /^unisum: there is no recipe "nosuch"/],
    [['train', '--lr', 'x'], /^unisum: --lr takes a number above 0/],
    [['worker'], /^unisum: give the join file of the run: /],
    [['verify'], /^unisum: slurm takes "-- train ...", "-- sweep ..." or "-- worker ...", not "verify"/],
    [['sweep', 'iris', '--vary', 'lr=0.1', '--trial', '1'], /^unisum: the job decides --trial/],
    [
      ['sweep', 'iris', '--method', 'halving', '--vary', 'lr=0.1'],
      /^unisum: halving needs the results of all trials: take --method grid or random/,
    ],
  ])('refuses %j before anything is submitted', async (words, message) => {
    const { status, stderr } = await runHere('slurm', '--dry-run', '--', ...words);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).not.toBe(0);
  });

  it('prints the script of an array for a sweep, and makes no directory', async () => {
    const folder = temporaryFolder();
    const words = ['sweep', 'iris', '--vary', 'lr=0.1,0.2'];
    const { status, stdout } = await programHere(folder, 'slurm', '--dry-run', '--cpus', 3, '--', ...words);
    expect(stdout).toMatch(
      /\n#SBATCH --array=1-2\n(.|\n)* sweep iris --vary lr=0\.1,0\.2 --sweep-dir \S+ --trial "\$SLURM_ARRAY_TASK_ID" --workers 1 --threads 3 &\n/,
    );
    expect(status).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    const two = await programHere(folder, 'slurm', '--dry-run', '--nodes', 2, '--', ...words);
    expect(two.stderr).toContain('each trial of a sweep has a node of its own: leave --nodes out');
  });

  it('prints the script with --dry-run', async () => {
    const { status, stdout } = await runHere('slurm', '--nodes', 2, '--dry-run', '--', 'train', '--steps', 9);
    expect(stdout).toMatch(
      /^#!\/bin\/sh\n(.|\n)*#SBATCH --nodes=2\n(.|\n)* train --steps 9 "\$@" --workers 0 /,
    );
    expect(status).toBe(0);
  });
});
