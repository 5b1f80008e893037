import { SEQUENCE, threadWord } from './control-block.js';

/** A command buffer in shared memory. */
export interface CommandBufferRef {
  /** Byte offset. */
  readonly offset: number;
  readonly words: number;
}

/** One thread's share of an execution. */
export interface ExecutionShare {
  /** The thread's part of the forward and the backward pass. */
  readonly compute: CommandBufferRef;
  /** Its part of the additions. Runs when all threads have computed. */
  readonly finish: CommandBufferRef;
  /** Its part of the update. Runs when all threads have added and the sum is finite. */
  readonly update: CommandBufferRef;
  /** Byte offset of its cursor, {order, position, step}: u32[3]. */
  readonly cursor: number;
  /** Byte offset of its copy of the optimizer's scalars of the step: f32[]. */
  readonly scalars: number;
}

/** What all threads of an execution have in common. The table is a StepTable's. */
export interface ExecutionPlan {
  /** Threads that execute it. */
  readonly threads: number;
  readonly steps: number;
  readonly table: { readonly offset: number; readonly scalarCount: number };
  /** Where a step's metric sums lie after its additions, and the log that they are copied to: f32[steps][floats]. */
  readonly metrics: { readonly offset: number; readonly floats: number; readonly log: number };
  /** Floats that the additions write. If one of them is not finite, the execution ends before the update. */
  readonly guard: { readonly offset: number; readonly floats: number };
}

/** One thread's part of a job. */
export type ThreadWork =
  | { readonly kind: 'run'; readonly commandBuffer: CommandBufferRef }
  | { readonly kind: 'execute'; readonly share: ExecutionShare; readonly plan: ExecutionPlan };

/**
 * One thread's part of a job as it is posted. `lead` is the first of the job's threads: all threads of the job report their
 * end in its words. `pages` is the size of the memory that the job may use.
 */
export type ThreadJob = ThreadWork & { readonly lead: number; readonly pages: number };

const KINDS = ['run', 'execute'] as const;

/** Writes a thread's next job and wakes the thread, whose previous job must have ended. */
export function postJob(words: Int32Array, thread: number, sequence: number, job: ThreadJob): void {
  const at = threadWord(thread, SEQUENCE);
  words.set([KINDS.indexOf(job.kind), job.lead, job.pages, ...fieldsOf(job)], at + 1);
  Atomics.store(words, at, sequence);
  Atomics.notify(words, at);
}

/** Reads the job whose sequence number the thread has just seen. */
export function readJob(words: Int32Array, thread: number): ThreadJob {
  let at = threadWord(thread, SEQUENCE) + 1;
  // Offsets use all 32 bits; no other field is negative.
  const next = (): number => (words[at++] as number) >>> 0;
  const commandBuffer = (): CommandBufferRef => ({ offset: next(), words: next() });
  const kind = KINDS[next()];
  const common = { lead: next(), pages: next() };
  if (kind !== 'execute') return { ...common, kind: 'run', commandBuffer: commandBuffer() };
  return {
    ...common,
    kind,
    share: {
      compute: commandBuffer(),
      finish: commandBuffer(),
      update: commandBuffer(),
      cursor: next(),
      scalars: next(),
    },
    plan: {
      threads: next(),
      steps: next(),
      table: { offset: next(), scalarCount: next() },
      metrics: { offset: next(), floats: next(), log: next() },
      guard: { offset: next(), floats: next() },
    },
  };
}

function fieldsOf(job: ThreadJob): number[] {
  if (job.kind === 'run') return [job.commandBuffer.offset, job.commandBuffer.words];
  const { compute, finish, update, cursor, scalars } = job.share;
  const { threads, steps, table, metrics, guard } = job.plan;
  return [
    ...[compute, finish, update].flatMap(({ offset, words }) => [offset, words]),
    ...[cursor, scalars, threads, steps],
    ...[table.offset, table.scalarCount, metrics.offset, metrics.floats, metrics.log],
    ...[guard.offset, guard.floats],
  ];
}
