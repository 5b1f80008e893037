import { SEQUENCE, threadWord } from './control-block.js';

/** A tape in shared memory. */
export interface TapeRef {
  /** Byte offset. */
  readonly offset: number;
  readonly words: number;
}

/** What one thread does in a stride. */
export interface StrideShare {
  /** Its part of forward and backward. */
  readonly compute: TapeRef;
  /** Its part of the additions; runs when all threads have computed. */
  readonly finish: TapeRef;
  /** Its part of the update; runs when all threads have finished and the sum is finite. */
  readonly update: TapeRef;
  /** Byte offset of the cell for the step's {order, position, step}: u32[3]. */
  readonly cursor: number;
  /** Byte offset of the cell for the optimizer's scalars of the step: f32[]. */
  readonly scalars: number;
}

/** What all threads of a stride know. The table is a StepTable's. */
export interface StrideCourse {
  readonly steps: number;
  readonly table: { readonly offset: number; readonly scalarCount: number };
  /** Where a step's metric sums lie after its finish tapes, and the log that they are copied to: f32[steps][floats]. */
  readonly metrics: { readonly offset: number; readonly floats: number; readonly log: number };
  /** Floats that the finish tapes write. Where one is not finite, the stride ends before the update. */
  readonly guard: { readonly offset: number; readonly floats: number };
}

/** One thread's part of a job. */
export type ThreadWork =
  | { readonly kind: 'run'; readonly tape: TapeRef }
  | { readonly kind: 'stride'; readonly share: StrideShare; readonly course: StrideCourse };

/** The same as it travels: with the first of the job's threads, in whose words all report their end, and the pages of memory that it may use. */
export type Job = ThreadWork & { readonly lead: number; readonly pages: number };

const KINDS = ['run', 'stride'] as const;

/** Writes a thread's next job and wakes the thread. It must be waiting: its job before must have ended. */
export function postJob(words: Int32Array, thread: number, sequence: number, job: Job): void {
  const at = threadWord(thread, SEQUENCE);
  words.set([KINDS.indexOf(job.kind), job.lead, job.pages, ...fieldsOf(job)], at + 1);
  Atomics.store(words, at, sequence);
  Atomics.notify(words, at);
}

/** Reads the job whose sequence number the thread has just seen. */
export function readJob(words: Int32Array, thread: number): Job {
  let at = threadWord(thread, SEQUENCE) + 1;
  // Offsets use all 32 bits; no other field is negative.
  const next = (): number => (words[at++] as number) >>> 0;
  const tape = (): TapeRef => ({ offset: next(), words: next() });
  const kind = KINDS[next()];
  const common = { lead: next(), pages: next() };
  if (kind !== 'stride') return { ...common, kind: 'run', tape: tape() };
  return {
    ...common,
    kind,
    share: { compute: tape(), finish: tape(), update: tape(), cursor: next(), scalars: next() },
    course: {
      steps: next(),
      table: { offset: next(), scalarCount: next() },
      metrics: { offset: next(), floats: next(), log: next() },
      guard: { offset: next(), floats: next() },
    },
  };
}

function fieldsOf(job: Job): number[] {
  if (job.kind === 'run') return [job.tape.offset, job.tape.words];
  const { compute, finish, update, cursor, scalars } = job.share;
  const { steps, table, metrics, guard } = job.course;
  return [
    ...[compute, finish, update].flatMap(({ offset, words }) => [offset, words]),
    ...[cursor, scalars, steps],
    ...[table.offset, table.scalarCount, metrics.offset, metrics.floats, metrics.log],
    ...[guard.offset, guard.floats],
  ];
}
