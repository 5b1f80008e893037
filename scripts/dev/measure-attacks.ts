/**
 * Measures what attacks cost a run: `npm run measure:attacks`. Steps per second with and without the attack are compared in
 * pairs within one run, and the run must end with the weights of an undisturbed one. Prints a table, and JSON on stdout.
 * `--only silent,TLS` takes the attacks whose names contain one of these. For an otherwise idle machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../shared/actor/clock.js';
import { ATTACKS } from './attacks/attacks.js';
import type { PairedRatio } from './attacks/paired-ratio.js';
import { type TrialReport, tryAttack, undisturbed } from './attacks/trial.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    recipe: { type: 'string', default: 'mnist-cnn' },
    batch: { type: 'string', default: '16' },
    steps: { type: 'string', default: '3740' },
    pairs: { type: 'string', default: '1' },
    without: { type: 'string', default: '1500' },
    with: { type: 'string', default: '2000' },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(9))).join(' ');

const interval = ({ median, interval: [from, to] }: PairedRatio): string =>
  `${median.toFixed(4)} times, with 95% between ${from.toFixed(4)} and ${to.toFixed(4)}`;

const folder = await mkdtemp(join(tmpdir(), 'unisum-attacks-'));
try {
  const plan = {
    folder,
    // An evaluation within a window would count as steps that are lost.
    args: [
      ...[values.recipe, '--batch', values.batch],
      ...['--steps', values.steps, '--evaluate-every', values.steps],
    ],
    pairs: Number(values.pairs),
    withoutMs: Number(values.without),
    withMs: Number(values.with),
  };
  const expected = (await undisturbed(plan)).weightsSha256;
  const wanted = values.only.split(',');
  const reports: (TrialReport & { readonly isHashRight: boolean })[] = [];
  say(row(['attack', 'steps/s', 'attacked', 'ratio', 'wanted', 'MiB', 'most MiB', 'lines', 'hash']));
  for (const attack of ATTACKS.filter(({ name }) => wanted.some((part) => name.includes(part)))) {
    const report = await tryAttack(attack, plan, systemClock);
    const isHashRight = report.weightsSha256 === expected;
    reports.push({ ...report, isHashRight });
    const mean = (rates: readonly number[]): string =>
      (rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toFixed(0);
    const { ratio, processorRatio, least, memoryBefore, memoryMost, lines } = report;
    const rates = [mean(report.without), mean(report.attacked), ratio.median.toFixed(2), least.toFixed(2)];
    const rest = [memoryBefore.toFixed(0), memoryMost.toFixed(0), lines, isHashRight ? 'right' : 'WRONG'];
    say(row([report.attack, ...rates, ...rest]));
    // Less than that is noise, however many digits a median has.
    if (ratio.ratios.length > 1) {
      say(`  steps per second         ${interval(ratio)}`);
      say(`  processor time of a step ${interval(processorRatio)}`);
    }
  }
  process.stdout.write(`${JSON.stringify({ plan: values, expected, reports })}\n`);
  process.exitCode = reports.every(({ isHashRight }) => isHashRight) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}
