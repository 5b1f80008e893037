import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { type Program, start } from './process.js';
import { programHere } from './program-here.js';

/* Runs whose processes are killed as those of a cluster are. */

/** Words of a short run. */
export const TRAIN = ['mnist-mlp', '--batch', '16', '--leaf', '8'];

/** Tells that a test is skipped, and why. */
export const skipped = (what: string, why: string): void =>
  void process.stderr.write(`SKIPPED, ${what}: ${why}\n`);

/** Folders that stand for volumes, which are there when a container starts. */
export function folders(root: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const folder = join(root, name);
      mkdirSync(folder, { recursive: true });
      return [name.replace(/.*\//, ''), folder];
    }),
  );
}

/** An address of this machine that no other test listens on: the port is that of the files. */
export function ownAddress(number: number): string {
  return `127.${100 + number}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
}

/** Kills a process that must not have ended by itself. */
export async function killed(program: Program): Promise<void> {
  program.signal('SIGKILL');
  expect(await program.ended).toMatchObject({ signal: 'SIGKILL' });
}

/** Kills a coordinator in the middle of training, when there is something to resume from. */
export async function killedAfterCheckpoint(coordinator: Program, folder: string): Promise<void> {
  await coordinator.prints(/epoch \d+: /);
  const [, operate = ''] = await coordinator.prints(/control '(wss:[^']+)' pause/);
  const [, watch = ''] = await coordinator.prints(/watch '(wss:[^']+)'/);
  const watcher = start(['watch', watch], folder);
  await watcher.prints(/watching the run/);
  const { status, stderr } = await programHere(folder, 'control', operate, 'save');
  // Its last regular checkpoint may be that of the same step.
  const isSaved = stderr.includes('is saved already');
  expect(status === 0 || isSaved, stderr).toBe(true);
  // What is asked for is not on the disk yet.
  if (!isSaved) await watcher.prints(/the state after step [1-9]\d* is saved/);
  await killed(coordinator);
}

/** The hash of a run that nobody disturbs. @param train its words, without its data */
export async function undisturbed(train: readonly string[], data: string): Promise<string> {
  const alone = await programHere(data, 'train', ...train, '--data', data, '--workers', 1, '--json');
  return (JSON.parse(alone.stdout) as TrainResult).weightsSha256;
}
