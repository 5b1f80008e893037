import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { commandLine } from '../../shared/command-line.js';
import { UserError } from '../../shared/errors.js';
import { errorCode } from '../../shared/files/file-error.js';
import type { CommandContext } from '../commands/command.js';
import { type JobRequest, sweepScript, trainScript, workerScript } from './job-script.js';

/** Longest text of sbatch that is told. */
const ANSWER_CHARACTERS_MAX = 500;

type Submission = Omit<JobRequest, 'name' | 'log'> & { readonly words: readonly string[] };

interface How {
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

/** Submits a job that trains, or prints its script. */
export async function submitTraining(
  { recipe, runDir, ...request }: Submission & { readonly recipe: string; readonly runDir: string },
  how: How,
  context: CommandContext,
): Promise<void> {
  const log = `${runDir}.log`;
  const script = trainScript({ ...request, runDir, log, name: `unisum-${recipe}` });
  const jobId = await submit(script, log, how, context);
  if (jobId === undefined) return;
  const joinFile = `${runDir}.join`;
  const { terminal } = context;
  terminal.say(`submitted job ${jobId}; it prints to ${log}`);
  terminal.say(`run directory: ${runDir}`);
  terminal.say(
    `more nodes while it runs:  ${commandLine(`slurm --nodes N -- worker --join-file ${joinFile}`)}`,
  );
  if (how.isJson) terminal.result({ jobId, runDir, log, joinFile });
}

/** Submits a job of workers, or prints its script. */
export async function submitWorkers(
  { joinFile, ...request }: Submission & { readonly joinFile: string },
  how: How,
  context: CommandContext,
): Promise<void> {
  const log = `${resolve(joinFile)}-workers.log`;
  const script = workerScript({ ...request, log, name: 'unisum-worker' });
  const jobId = await submit(script, log, how, context);
  if (jobId === undefined) return;
  context.terminal.say(`submitted job ${jobId}; it prints to ${log}`);
  if (how.isJson) context.terminal.result({ jobId, log, joinFile });
}

/** Submits an array of jobs, one for each trial of a sweep, or prints its script. */
export async function submitSweep(
  {
    recipe,
    ...request
  }: Submission & { readonly recipe: string; readonly sweepDir: string; readonly trials: number },
  how: How,
  context: CommandContext,
): Promise<void> {
  const { sweepDir, trials } = request;
  const log = join(sweepDir, 'trial-%3a.log');
  const script = sweepScript({ ...request, log, name: `unisum-sweep-${recipe}` });
  const jobId = await submit(script, log, how, context);
  if (jobId === undefined) return;
  context.terminal.say(`submitted job ${jobId} with ${trials} tasks; each prints to ${log}`);
  context.terminal.say(`sweep directory: ${sweepDir}`);
  if (how.isJson) context.terminal.result({ jobId, sweepDir, log, trials });
}

/** @returns the number of the job; undefined when its script was printed */
async function submit(
  script: string,
  log: string,
  { isDryRun, isJson }: How,
  { terminal }: CommandContext,
): Promise<string | undefined> {
  if (isDryRun) {
    if (isJson) terminal.result({ script });
    else terminal.print(script);
    return undefined;
  }
  // Slurm does not make the folder of a job's output, and the job would fail without a word.
  await mkdir(dirname(log), { recursive: true });
  return sbatch(script);
}

/** Gives a script to Slurm. @throws UserError with what sbatch says */
function sbatch(script: string): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('sbatch', ['--parsable'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (bytes) => {
      stdout += bytes;
    });
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
    });
    child.on('error', (error) => {
      const isMissing = errorCode(error) === 'ENOENT';
      const remedy =
        'run this on a machine from which jobs are submitted, or print the script with --dry-run';
      fail(
        new UserError(
          isMissing ? `sbatch is not installed: ${remedy}` : `cannot run sbatch: ${error.message}`,
        ),
      );
    });
    // It may end before it has read everything; its status says why.
    child.stdin.on('error', () => undefined);
    child.on('close', (status) => {
      // JOB, or JOB;CLUSTER
      const [jobId] = stdout.trim().split(';');
      if (status === 0 && jobId) return done(jobId);
      const said = stderr.trim().replaceAll(/\s+/g, ' ').slice(0, ANSWER_CHARACTERS_MAX);
      fail(new UserError(`sbatch refused the job: ${said === '' ? `status ${status}` : said}`));
    });
    child.stdin.end(script);
  });
}
