import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { SCHEDULE_NAMES } from '../../shared/optim/schedule.js';
import { OPTIMIZER_NAMES } from '../../shared/optim/settings.js';

/* docs/layers.md lists all layers, ops, losses, optimizers, schedules and metrics. */
const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/layers.md');
const FOLDERS = [
  'shared/graph/layers',
  'shared/graph/ops',
  'shared/graph/losses',
  'shared/optim',
  'shared/metrics',
];
const TEXT = readFileSync(PAGE, 'utf8');
const LINKS = [...TEXT.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) =>
  relative(ROOT, join(dirname(PAGE), link!)),
);
const NAMES = new Set([...TEXT.matchAll(/`([A-Za-z]\w*)`/g)].map(([, name]) => name));

const filesOf = (folder: string): string[] =>
  readdirSync(join(ROOT, folder)).map((name) => join(folder, name));

it('has a row for each file of layers, ops, losses, optimizers and metrics', () => {
  const missing = FOLDERS.flatMap(filesOf).filter((file) => !LINKS.includes(file));
  expect(missing, 'add a row to docs/layers.md for each').toEqual([]);
});

it('names each layer, op and loss, each optimizer and each schedule', () => {
  const layers = filesOf('shared/graph/layers').flatMap((file) =>
    exportsOf(file, /^export function (\w+)\([\s\S]*?\): Layer/gm),
  );
  const ops = filesOf('shared/graph/ops').flatMap((file) => exportsOf(file, /^export const (\w+)Op\b/gm));
  const losses = filesOf('shared/graph/losses').flatMap((file) =>
    exportsOf(file, /^export const (\w+)Loss\b/gm),
  );
  expect(Math.min(layers.length - 20, ops.length - 30, losses.length - 6)).toBeGreaterThan(0);
  const all = [...layers, ...ops, ...losses, ...OPTIMIZER_NAMES, ...SCHEDULE_NAMES];
  expect(
    all.filter((name) => !NAMES.has(name)),
    'add these to docs/layers.md',
  ).toEqual([]);
});

function exportsOf(file: string, pattern: RegExp): string[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(pattern)].map(([, name]) => name!);
}
