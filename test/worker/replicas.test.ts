import { expect, it } from 'vitest';
import { sgd } from '../../shared/optim/sgd.js';
import type { CoordinatorToWorker } from '../../shared/protocol/messages.js';
import type { WorkerEffect } from '../../worker/messages.js';
import { runMessage } from '../coordinator/settings.js';
import { CUT, Script } from './script.js';

/* Replicas of a round of local updates: one after the other at a worker, at the same time at a relay. */

const LOCAL = { replicas: 4, steps: 3, optimizer: sgd() };

function ready(computesTogether: boolean): Script {
  const run = runMessage();
  const script = new Script().joins({ ...run, settings: { ...run.settings, local: LOCAL } });
  const weights = { count: 1, cut: CUT };
  script.tell({ kind: 'prepared', run: script.run, missing: [], weights, computesTogether });
  return script;
}

function assign(script: Script, replica: number, weights = false): readonly WorkerEffect[] {
  const work: CoordinatorToWorker = {
    kind: 'work',
    step: 0,
    range: { from: replica, to: replica + 1 },
    weights,
  };
  return script.hears(work, weights ? new Uint8Array(CUT.bytes) : undefined);
}

function ends(script: Script, replica: number, isComputed: boolean): readonly WorkerEffect[] {
  const range = { from: replica, to: replica + 1 };
  const partialSums = isComputed ? [{ node: { level: 0, index: replica }, buffer: 0 }] : undefined;
  return script.tell({ kind: 'computed', step: 0, range, partialSums, computeMicros: 1 });
}

const begun = (effects: readonly WorkerEffect[]): number[] =>
  effects.flatMap((effect) => (effect.kind === 'compute' ? [effect.work.range.from] : []));
const sent = (effects: readonly WorkerEffect[]): string[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message.kind] : []));

it('are computed one after the other by a worker', () => {
  const script = ready(false);
  expect(begun(assign(script, 0, true))).toEqual([0]);
  expect(begun(assign(script, 1))).toEqual([]);
  expect(begun(ends(script, 0, true))).toEqual([1]);
});

it('are handed on at once by a relay, each answered when it is done', () => {
  const script = ready(true);
  expect(begun(assign(script, 0, true))).toEqual([0]);
  expect(begun(assign(script, 1))).toEqual([1]);
  expect(begun(assign(script, 2))).toEqual([2]);
  expect(sent(ends(script, 1, true))).toEqual(['partial-sums']);
  expect(sent(ends(script, 0, true))).toEqual(['partial-sums']);
});

it('are given up together, and every cancellation is acknowledged once the last one has ended', () => {
  const script = ready(true);
  assign(script, 0, true);
  assign(script, 1);
  script.hears({ kind: 'cancel', step: 0 });
  expect(begun(assign(script, 2, true))).toEqual([]);
  script.hears({ kind: 'cancel', step: 0 });
  expect(begun(assign(script, 3, true))).toEqual([]);
  expect(sent(ends(script, 0, true))).toEqual([]);
  const effects = ends(script, 1, false);
  expect(sent(effects)).toEqual(['cancelled', 'cancelled']);
  expect(begun(effects)).toEqual([3]);
});
