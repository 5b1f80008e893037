import { UserError } from '../../shared/errors.js';
import { shellWord } from '../../shared/shell-word.js';

/** What is asked of Slurm. */
export interface JobRequest {
  readonly name: string;
  readonly nodes: number;
  /** Processors of each node, and compute threads of its worker. */
  readonly cpus: number;
  /** Longest time of the job, as Slurm writes it; left out: the cluster's own. */
  readonly time?: string | undefined;
  readonly partition?: string | undefined;
  /** Further options of sbatch, each as it follows `#SBATCH`. */
  readonly sbatch: readonly string[];
  /** File for what the job prints. */
  readonly log: string;
  /** Words that start this program on every node. */
  readonly program: readonly string[];
}

/** A job that trains. */
export interface TrainJob extends JobRequest {
  /** Recipe and options of train. */
  readonly words: readonly string[];
  /** Directory of the run, which all nodes see. */
  readonly runDir: string;
}

/** A job with a task for each trial of a sweep. */
export interface SweepJob extends JobRequest {
  /** Recipe and options of sweep. */
  readonly words: readonly string[];
  /** Directory of the sweep, which all nodes see. */
  readonly sweepDir: string;
  readonly trials: number;
}

/** A job of workers, for a run that another job trains. */
export interface WorkerJob extends JobRequest {
  readonly words: readonly string[];
}

/** How long before the end of its time a job is told to save. */
const NOTICE_SECONDS = 90;

/** A job that ends within the notice that a preemption gives counts as failed to Slurm, and not as one to be queued again. */
const REQUEUE = `# It has left because it was told to, and the job was not cancelled: it is preempted, or its time is over.
if [ $status -eq 143 ] && [ "$(squeue -h -o %T -j "$SLURM_JOB_ID")" = RUNNING ]; then scontrol requeue "$SLURM_JOB_ID"; fi`;

/** Waits for what was started last. A signal ends the wait, not the training, which saves first. */
const AWAIT_TRAINING = `train=$!
trap 'scancel --signal=TERM "$SLURM_JOB_ID"' TERM USR1
wait $train; status=$?
while [ $status -gt 128 ] && kill -0 $train 2>/dev/null; do wait $train; status=$?; done`;

/**
 * The script of a job with a coordinator on its first node and a worker on each node. Slurm queues a job again that has lost its
 * first node or was preempted at once; one that was preempted with notice, or whose time is over, saves and queues itself again. It
 * resumes each time.
 *
 * Coordinator and workers are steps of the job, as Slurm tells steps, and not always the script, that a job is preempted or
 * cancelled: by SIGTERM, on which a coordinator saves and a worker leaves. Before the time of a job is over, the script is told, by
 * SIGUSR1, and tells the steps. A worker finds the run by a file, which only the owner can read.
 */
export function trainScript(job: TrainJob): string {
  const train = words([...job.program, 'train', ...job.words]);
  return `${head(job, [`--signal=B:USR1@${NOTICE_SECONDS}`])}
run=${shellWord(job.runDir)}
join="$run.join"
mkdir -p "$(dirname "$run")" || exit 1
if [ -e "$run/config.json" ]; then set -- --resume "$run"; else set -- --run-dir "$run"; fi
# Of a coordinator that was killed.
rm -f "$join"
${workers(job, ['worker', '--join-file'], '"$join" ')}&
srun --overlap --nodes=1 --ntasks=1 --relative=0 ${train} "$@" --workers 0 --listen 0.0.0.0:0 --join-file "$join" &
${AWAIT_TRAINING}
${REQUEUE}
exit $status
`;
}

/**
 * The script of an array of jobs, each of which trains one trial of a sweep on a node of its own. Each is preempted, queued again
 * and goes on as a job that trains.
 */
export function sweepScript(job: SweepJob): string {
  const { cpus, program, sweepDir, trials } = job;
  const sweep = words([...program, 'sweep', ...job.words, '--sweep-dir', sweepDir]);
  const own = `--trial "$SLURM_ARRAY_TASK_ID" --workers 1 --threads ${cpus}`;
  return `${head(job, [`--array=1-${trials}`, `--signal=B:USR1@${NOTICE_SECONDS}`])}
srun --ntasks=1 --cpus-per-task=${cpus} ${sweep} ${own} &
${AWAIT_TRAINING}
${REQUEUE}
exit $status
`;
}

/** The script of a job with a worker on each node, for a run that is found by its join file: more nodes while it goes on. */
export function workerScript(job: WorkerJob): string {
  return `${head(job, [])}
${workers(job, ['worker', ...job.words], '').trimEnd()}
status=$?
${REQUEUE}
exit $status
`;
}

function head(
  { name, nodes, cpus, time, partition, sbatch, log }: JobRequest,
  more: readonly string[],
): string {
  const options = [
    `--job-name=${name}`,
    `--nodes=${nodes}`,
    '--ntasks-per-node=1',
    `--cpus-per-task=${cpus}`,
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    `--output=${log}`,
    // A job goes on without a node that has failed, and is queued again if that was its first one.
    ...['--open-mode=append', '--requeue', '--no-kill'],
    ...more,
    ...sbatch,
  ];
  for (const option of options)
    if (/[\n\r]/.test(option))
      throw new UserError(`an option of sbatch is one line, not ${JSON.stringify(option)}`, 2);
  return ['#!/bin/sh', ...options.map((option) => `#SBATCH ${option}`)].join('\n');
}

/** One worker on each node; those that end early do not end the others. */
function workers({ program, cpus }: JobRequest, command: readonly string[], file: string): string {
  const srun = ['srun', '--overlap', '--no-kill', '--kill-on-bad-exit=0', '--ntasks-per-node=1'];
  return `${srun.join(' ')} --cpus-per-task=${cpus} ${words([...program, ...command])} ${file}--threads ${cpus} `;
}

function words(all: readonly string[]): string {
  return all.map(shellWord).join(' ');
}
