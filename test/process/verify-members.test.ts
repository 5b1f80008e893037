import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { trainHere, verifyHere } from '../support/in-process.js';
import { readLines } from '../support/metrics.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { FaultyExecutor, TestWorker } from '../support/test-worker.js';

/* Runs that several workers have computed, some of whom left, came later or lied. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-verify-members-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
afterAll(() => rmSync(ROOT, { recursive: true }));

const TRAIN = ['mnist-mlp', '--data', DATA, '--batch', 64, '--leaf', 8, '--backend', 'wasm'];
const OPEN = ['--listen', '127.0.0.1:0', '--workers', 0, '--placement', 'all'];

/** The course of a run, as a test follows and changes it. */
interface Course {
  readonly url: string;
  readonly joined: Promise<TestWorker>[];
  /** Evaluations so far. */
  readonly evaluations: number;
  readonly interrupt: () => void;
}

/**
 * Trains with workers that join when the run is open.
 * @param onLine is told each line that the run prints
 * @returns the run directory
 */
async function trainWith(
  name: string,
  words: readonly (string | number)[],
  workers: (url: string) => Promise<TestWorker>[],
  onLine: (line: string, course: Course) => void = () => {},
): Promise<string> {
  const path = join(ROOT, name);
  await session([...TRAIN, ...OPEN, ...words, '--run-dir', path], workers, onLine);
  return path;
}

/** One session of a run, new or resumed, with workers that join when it is open. @returns what it prints */
async function session(
  words: readonly (string | number)[],
  workers: (url: string) => Promise<TestWorker>[],
  onLine: (line: string, course: Course) => void,
): Promise<string> {
  let joined: Promise<TestWorker>[] = [];
  let url = '';
  let evaluations = 0;
  const { problem, text } = await trainHere(words, {
    onLine: (line, interrupt) => {
      const [, own] = /worker '(ws:[^']+)'/.exec(line) ?? [];
      if (own !== undefined) {
        url = own;
        joined = workers(url);
      }
      if (line.startsWith('epoch ')) evaluations += 1;
      onLine(line, { url, joined, evaluations, interrupt });
    },
  });
  expect(problem, text).toBeUndefined();
  for (const worker of joined) await (await worker).leave();
  return text;
}

const honest = (url: string, name: string): Promise<TestWorker> =>
  TestWorker.join(url, name, (inner) => inner);
const liar = (url: string, from: number): Promise<TestWorker> =>
  TestWorker.join(url, 'liar', (inner) => new FaultyExecutor(inner, from));

describe('a run of several workers', () => {
  it('is proven when one leaves and another comes', async () => {
    const path = await trainWith(
      'churn',
      ['--steps', 80, '--min-workers', 2],
      (url) => [honest(url, 'first'), honest(url, 'second')],
      (line, { url, joined, evaluations }) => {
        if (!line.startsWith('epoch ')) return;
        if (evaluations === 2) joined.push(honest(url, 'third'));
        if (evaluations === 4) void joined[0]?.then((worker) => worker.leave());
      },
    );
    const { problem, result } = await verifyHere([path]);
    expect(problem).toBeUndefined();
    expect(result).toMatchObject({ ok: true, checkedSteps: 80 });
    expect(result?.notProven).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^who computed what: .* lines about members \(.*assignment/),
      ]),
    );
  });

  it('is proven when it was rolled back, and says what was taken back', async () => {
    let rolledBackAt = Number.POSITIVE_INFINITY;
    const path = await trainWith(
      'rolled-back',
      ['--steps', 100_000, '--min-workers', 3, '--audit', 0.3],
      (url) => [liar(url, 40), honest(url, 'one'), honest(url, 'other')],
      // Long enough to be found out, whoever is given how much, and a little longer.
      (line, { evaluations, interrupt }) => {
        if (line.includes('the run rolls back')) rolledBackAt = evaluations;
        if (evaluations >= rolledBackAt + 4) interrupt();
      },
    );
    const lines = readLines(join(path, 'metrics.jsonl'));
    expect(lines.find(({ event }) => event === 'rolled-back')).toMatchObject({ member: 'liar' });
    const { problem, result } = await verifyHere([path]);
    expect(problem).toBeUndefined();
    const { step } = lines.at(-1) as { step: number };
    expect(result).toMatchObject({ ok: true, exitReason: 'interrupted', steps: step, checkedSteps: step });
    expect(result?.notProven).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/\d+ recorded steps that were taken back, by a rollback/),
      ]),
    );
  });

  it('is not proven when a worker has lied and nobody has looked', async () => {
    const path = await trainWith('falsified', ['--steps', 40, '--min-workers', 1], (url) => [liar(url, 20)]);
    const { problem } = await verifyHere([path]);
    expect(problem).toMatch(/is not proven: the run differs at step (2[1-9]|3\d|40): /);
  });
});
