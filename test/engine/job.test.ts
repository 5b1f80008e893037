import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlBytes, SEQUENCE, threadWord } from '../../shared/engine/control-block.js';
import { type Job, postJob, readJob } from '../../shared/engine/job.js';

const THREADS = 3;
const offset = fc.nat(2 ** 32 - 1);
const count = fc.nat(2 ** 31 - 1);
const tape = fc.record({ offset, words: count });
const job: fc.Arbitrary<Job> = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), lead: count, pages: fc.nat(65536), tape }),
  fc.record({
    kind: fc.constant('stride' as const),
    lead: count,
    pages: fc.nat(65536),
    share: fc.record({ compute: tape, finish: tape, update: tape, cursor: offset, scalars: offset }),
    course: fc.record({
      steps: count,
      table: fc.record({ offset, scalarCount: count }),
      metrics: fc.record({ offset, floats: count, log: offset }),
      guard: fc.record({ offset, floats: count }),
    }),
  }),
);

describe('a job', () => {
  it('arrives as it was sent, and at its thread only', () => {
    fc.assert(
      fc.property(job, job, (first, second) => {
        const words = new Int32Array(new SharedArrayBuffer(controlBytes(THREADS)));
        postJob(words, 0, 1, first);
        postJob(words, 2, 2, second);
        expect([readJob(words, 0), readJob(words, 2)]).toEqual([first, second]);
        const sequences = [0, 1, 2].map((thread) => words[threadWord(thread, SEQUENCE)]);
        expect(sequences).toEqual([1, 0, 2]);
      }),
    );
  });
});
