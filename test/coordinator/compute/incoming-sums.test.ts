import { describe, expect, it } from 'vitest';
import { IncomingSums } from '../../../coordinator/compute/incoming-sums.js';
import { PartialSumBuffers } from '../../../coordinator/compute/partial-sum-buffers.js';
import { isOwed, owedVectors } from '../../../coordinator/scheduling/answers.js';
import { ComputeMemory } from '../../../shared/engine/memory.js';
import { ProtocolError } from '../../../shared/protocol/checked.js';
import type { SumSegment } from '../../../shared/protocol/messages.js';
import { cutVector } from '../../../shared/reduction/segments.js';
import { type LeafRange, maximalSubtrees } from '../../../shared/reduction/tree.js';
import { FIRST, SECOND, twoAtWork } from '../script.js';

const CUT = cutVector(192, [], 64);

function setUp() {
  const script = twoAtWork();
  const memory = new ComputeMemory();
  const buffers = new PartialSumBuffers(memory, CUT);
  const { scheduling } = script.state;
  const incoming = new IncomingSums(
    buffers,
    (id, task) => owedVectors(scheduling, id, task),
    (id, message) => isOwed(scheduling, id, message),
  );
  const segment = (id: string, index: number, changes: Partial<SumSegment> = {}, bytes = 64): unknown =>
    incoming.receive(
      id,
      { kind: 'segment', step: 0, range: FIRST, vector: 0, index, ...changes },
      new Uint8Array(bytes).fill(index + 1),
    );
  const complete = (id: string, range: LeafRange, payload = new Uint8Array(0)): readonly number[] => {
    const nodes = maximalSubtrees(range, 8);
    return incoming.receive(id, { kind: 'partial-sums', step: 0, range, nodes, computeMicros: 1 }, payload);
  };
  return { script, memory, incoming, segment, complete };
}

describe('partial sums that arrive in segments', () => {
  it('are put together in any order, and count when the last one is here', () => {
    const { memory, segment, complete } = setUp();
    for (const index of [2, 0, 1]) segment('a', index);
    const [buffer] = complete('a', FIRST);
    const bytes = memory.u8(buffer as number, CUT.bytes);
    expect([bytes[0], bytes[64], bytes[191]]).toEqual([1, 2, 3]);
  });

  it('of two members are kept apart', () => {
    const { segment, complete } = setUp();
    for (const index of [0, 1, 2]) {
      segment('a', index);
      segment('b', index, { range: SECOND });
    }
    expect(complete('a', FIRST)).not.toEqual(complete('b', SECOND));
  });

  it.each([
    ['twice', 0, {}, 64],
    ['of another size', 1, {}, 60],
    ['behind the last one', 3, {}, 64],
    ['of a vector that the range does not have', 0, { vector: 1 }, 64],
  ])('are refused when one comes %s', (_what, index, changes, bytes) => {
    const { segment } = setUp();
    segment('a', 0);
    expect(() => segment('a', index, changes, bytes)).toThrow(ProtocolError);
  });

  it('lie nowhere while one is missing; the member is then refused for them', () => {
    const { script, segment, complete } = setUp();
    segment('a', 0);
    segment('a', 2);
    const buffers = complete('a', FIRST);
    expect(buffers).toEqual([]);
    const nodes = maximalSubtrees(FIRST, 8);
    const message = { kind: 'partial-sums', step: 0, range: FIRST, nodes, computeMicros: 1 } as const;
    expect(script.says('a', message, buffers).join()).toContain('do not match its task (incomplete)');
  });

  it('take no memory unless their member owes them, and give it back when it leaves or the step has ended', () => {
    const { memory, incoming, segment } = setUp();
    const { end } = memory.mark();
    segment('b', 0);
    segment('a', 0, { step: 1 });
    segment('a', 0, { range: SECOND });
    expect(memory.mark().end).toBe(end);
    segment('a', 0);
    const taken = memory.mark().end;
    for (const forget of [() => incoming.forgetMember('a'), () => incoming.forgetAll()]) {
      forget();
      segment('a', 0);
      expect(memory.mark().end).toBe(taken);
    }
  });

  it('are no more than a member was asked for', () => {
    const { script } = setUp();
    const message = { kind: 'segment', step: 5, range: FIRST, vector: 0, index: 0 } as const;
    for (let i = 0; i < 8; i++) expect(script.says('a', message)).toEqual([]);
    expect(script.says('a', message).join()).toContain(
      'a <- refuse: it sent more segments of partial sums than it was asked for',
    );
  });
});
