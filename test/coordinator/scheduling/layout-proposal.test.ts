import { describe, expect, it } from 'vitest';
import {
  chosenCount,
  type ExchangeLog,
  noExchanges,
  noteExchanges,
} from '../../../coordinator/scheduling/exchange-log.js';
import { describeProposal, relayProposal } from '../../../coordinator/scheduling/layout-proposal.js';

/** Steps with more and more members, each exchange of which takes so long on the link that all share. */
function logOf(sharedMs: number, exchangeMs = 7): ExchangeLog {
  const log = noExchanges();
  for (let members = 5; members <= 100; members += 5)
    noteExchanges(log, { members, restMs: exchangeMs + sharedMs * (members - 1) }, members * 500);
  return log;
}

const at = (address: string, count: number): string[] => new Array(count).fill(address);
const COMPUTE_MS = 10_000;

describe('relays', () => {
  it('are proposed once where the link is full, and again for twice as many workers', () => {
    const log = logOf(3.2);
    const proposal = relayProposal(log, COMPUTE_MS, at('a', 100));
    expect(proposal).toMatchObject({ workers: 100, relays: 10, below: 10 });
    expect(describeProposal(proposal as NonNullable<typeof proposal>)).toBe(
      'relays: a step takes 360 ms with 100 workers at this coordinator; 10 relays of 10 workers each would take about 170 ms (unisum relay JOIN-LINE)',
    );
    expect(relayProposal(log, COMPUTE_MS, at('a', 150))).toBeUndefined();
    expect(relayProposal(log, COMPUTE_MS, at('a', 200))).toMatchObject({ workers: 200 });
  });

  it('begin where the most workers are', () => {
    const addresses = [...at('a', 60), ...at('b', 40)];
    const proposal = relayProposal(logOf(3.2), COMPUTE_MS, addresses);
    expect(proposal?.site).toEqual({ address: 'a', workers: 60 });
    expect(describeProposal(proposal as NonNullable<typeof proposal>)).toMatch(
      /; 60 workers are at a: begin there$/,
    );
    const apart = Array.from({ length: 100 }, (_, i) => `host-${i}`);
    expect(relayProposal(logOf(3.2), COMPUTE_MS, apart)?.site).toBeUndefined();
  });

  it('are never proposed where they would not pay', () => {
    expect(relayProposal(logOf(0), COMPUTE_MS, at('a', 100)), 'nothing is shared').toBeUndefined();
    expect(relayProposal(logOf(3.2), COMPUTE_MS, at('a', 7)), 'few workers').toBeUndefined();
    expect(relayProposal(logOf(3.2, 400), COMPUTE_MS, at('a', 100)), 'far away').toBeUndefined();
    expect(relayProposal(logOf(0.05), COMPUTE_MS, at('a', 100)), 'computing decides').toBeUndefined();
    expect(relayProposal(noExchanges(), COMPUTE_MS, at('a', 100)), 'nothing is known').toBeUndefined();
  });
});

describe('members that are given leaves', () => {
  it('are as many as make a step fastest, in steps of a quarter of an octave', () => {
    // The square root of 10,000 ms / 3.2 ms is 56.
    expect(chosenCount(logOf(3.2), COMPUTE_MS, 1000)).toBe(54);
    expect(chosenCount(logOf(3.2), 40 * COMPUTE_MS, 1000)).toBe(362);
  });

  it('are all where these are few, where the link is not full, and as long as nothing is known', () => {
    expect(chosenCount(logOf(3.2), COMPUTE_MS, 31)).toBe(31);
    expect(chosenCount(logOf(0), COMPUTE_MS, 1000)).toBe(1000);
    expect(chosenCount(noExchanges(), COMPUTE_MS, 1000)).toBe(1000);
  });
});

describe('what exchanges have taken', () => {
  it('is forgotten when it was not seen for five minutes', () => {
    const log = logOf(3.2);
    expect(log.samples.size).toBeGreaterThan(10);
    noteExchanges(log, { members: 3, restMs: 10 }, 400_000);
    expect(log.samples.size).toBe(1);
  });
});
