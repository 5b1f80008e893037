import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlBytes, SEQUENCE, threadWord } from '../../../shared/engine/threads/control-block.js';
import { postJob, readJob, type ThreadJob } from '../../../shared/engine/threads/thread-job.js';

const THREADS = 3;
const offset = fc.nat(2 ** 32 - 1);
const count = fc.nat(2 ** 31 - 1);
const commandBuffer = fc.record({ offset, words: count });
const job: fc.Arbitrary<ThreadJob> = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), lead: count, pages: fc.nat(65536), commandBuffer }),
  fc.record({
    kind: fc.constant('execute' as const),
    lead: count,
    pages: fc.nat(65536),
    share: fc.record({
      compute: commandBuffer,
      finish: commandBuffer,
      update: commandBuffer,
      cursor: offset,
      scalars: offset,
    }),
    plan: fc.record({
      threads: count,
      steps: count,
      table: fc.record({ offset, scalarCount: count }),
      metrics: fc.record({ offset, floats: count, log: offset }),
      guard: fc.record({ offset, floats: count }),
    }),
  }),
);

describe('a job', () => {
  it('is read as it was posted, by its thread only', () => {
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
