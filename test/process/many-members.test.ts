import { expect, it } from 'vitest';
import { LightMembers } from '../../scripts/dev/members/light-members.js';
import { systemClock } from '../../shared/actor/clock.js';
import type { TrainResult } from '../../trainer/result.js';
import { start } from '../support/process.js';
import { runHere } from '../support/program-here.js';

it('a hundred members join at once, compute, and leave, and no bit differs', async () => {
  const train = ['train', 'iris', '--batch', 100, '--leaf', 1, '--steps', 2000, '--workers', 1, '--json'];
  const open = ['--listen', '127.0.0.1:0', '--min-workers', 101, '--placement', 'all'];
  const coordinator = start([...train, ...open]);
  const members = await LightMembers.start(await coordinator.joinUrl(), systemClock);
  await members.join(100);
  await coordinator.prints(/epoch 9: /);
  expect(await members.leave()).toEqual([]);
  const { status, stdout, stderr } = await coordinator.ended;
  expect(status, stderr).toBe(0);
  const { weightsSha256, workers } = JSON.parse(stdout) as TrainResult;
  expect(workers).toHaveLength(101);
  // Who has which leaves follows from how fast each is.
  expect(workers.filter(({ samples }) => samples > 0).length).toBeGreaterThan(2);
  const alone = await runHere(...train);
  expect(weightsSha256).toBe((JSON.parse(alone.stdout) as TrainResult).weightsSha256);
}, 60_000);
