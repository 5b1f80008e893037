import { describe, expect, it } from 'vitest';
import { believedSince } from '../../coordinator/accounts.js';
import { isOwed } from '../../coordinator/rounds.js';
import { CoordinatorShell, type CoordinatorTools } from '../../coordinator/shell.js';
import { SlotPool } from '../../coordinator/slot-pool.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { ComputeMemory } from '../../shared/engine/memory.js';
import { linkInProcess } from '../../shared/link/in-process.js';
import { maximalSubtrees, type Range } from '../../shared/sum/leaves.js';
import { FIRST, Script, SECOND, twoAtWork } from './script.js';

/* What a member that knows the token may make the coordinator keep. */

const partials = (step: number, range: Range, nodes = maximalSubtrees(range, 8)) =>
  ({ kind: 'partials', step, range, nodes, computeMicros: 1 }) as const;

describe('room for sums', () => {
  it('is made only for what a member owes, and once', () => {
    const script = twoAtWork();
    const owed = (id: string, ...what: Parameters<typeof partials>): boolean =>
      isOwed(script.state, id, partials(...what));
    expect(owed('a', 0, FIRST)).toBe(true);
    expect(owed('a', 0, SECOND)).toBe(false);
    expect(owed('a', 1, FIRST)).toBe(false);
    expect(owed('a', 0, FIRST, new Array(48).fill({ level: 2, index: 0 }))).toBe(false);
    expect(owed('nobody', 0, FIRST)).toBe(false);
    script.answers('a', 0, FIRST);
    expect(owed('a', 0, FIRST)).toBe(false);
    script.answers('b', 0, SECOND);
    expect(owed('b', 0, SECOND)).toBe(false);
  });

  it('is not taken before anybody has looked whether the sums can count, and its end is not the end of the run', async () => {
    const memory = new ComputeMemory();
    let isOwedNow = false;
    const tools = { slots: new SlotPool(memory, 1024), isOwed: () => isOwedNow, clock: new VirtualClock() };
    const shell = new CoordinatorShell(tools as unknown as CoordinatorTools);
    const [node, link] = linkInProcess(['node', 'coordinator']);
    const told: object[] = [];
    let arrived = (): void => {};
    const self = {
      tell: (message: object) => {
        told.push(message);
        arrived();
      },
      stop: () => {},
    };
    shell.accept(self, link);
    const says = async (): Promise<object | undefined> => {
      const answer = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      node.send(partials(0, FIRST), new Uint8Array(4096));
      await answer;
      return told.at(-1);
    };
    const { end } = memory.mark();
    expect(await says()).toMatchObject({ kind: 'received', slots: [] });
    expect(memory.mark().end).toBe(end);
    isOwedNow = true;
    const { slots } = (await says()) as { slots: number[] };
    expect(slots).toHaveLength(1);
    memory.limit(memory.mark().end);
    expect(await says()).toMatchObject({ kind: 'garbled', reason: /partial sums need/ });
  });
});

describe('names', () => {
  it('of a thousand who have left are kept for the end, those who have done most before others', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    script.leaves('a');
    for (let i = 0; i < 1500; i++) {
      script.joins(`passer-by ${i}`);
      script.leaves(`passer-by ${i}`);
    }
    const { departed } = script.state;
    expect(departed).toHaveLength(1000);
    expect(departed.filter(({ samples }) => samples > 0).map(({ name }) => name)).toEqual(['a']);
    expect(departed.at(-1)?.name).toBe('passer-by 1499');
  });

  it('of those who were believed unconfirmed are bounded: of all others the first step is remembered', () => {
    const script = new Script({ steps: 1e6 });
    let [step, names] = [0, 0];
    for (; names < 5000; names++) {
      script.joins(`n${names}`);
      script.answers(`n${names}`, step, { from: 0, to: step % 3 === 2 ? 5 : 8 }, step % 3 === 2 ? 5 : 8);
      script.tell({ kind: 'finished', metrics: [1] });
      if (step % 3 === 2) script.tell({ kind: 'evaluated', means: { loss: 1 } });
      step = script.state.step;
      script.leaves(`n${names}`);
    }
    expect(step).toBe(5000);
    expect(script.state.believedSince.size).toBe(4097);
    expect(believedSince(script.state, 'n7')).toBe(7);
    expect(believedSince(script.state, 'n4900')).toBe(4096);
  });
});
