import { expect, it } from 'vitest';
import { shapeLink } from '../../scripts/bench/shaped-link.js';
import { systemClock } from '../../shared/actor/clock.js';
import type { TrainResult } from '../../trainer/result.js';
import type { Executor } from '../../worker/executor.js';
import { CountingProxy } from '../support/counting-proxy.js';
import { start } from '../support/process.js';
import { runHere } from '../support/program-here.js';
import { TestWorker } from '../support/test-worker.js';

/** The training images of MNIST and their labels. */
const DATA_BYTES = 60_000 * 785;

it('a member on a link of 100 Mbit/s is sent the data compressed', async () => {
  const run = ['train', '--steps', 3, '--batch', 64, '--json'];
  const coordinator = start([...run, '--listen', '127.0.0.1:0', '--workers', 0, '--min-workers', 1]);
  const url = new URL(await coordinator.joinUrl());
  const proxy = await CountingProxy.open(Number(url.port));
  url.port = String(proxy.port);
  const worker = await TestWorker.join(
    ...([url.href, 'far', (inner: Executor) => inner, () => undefined] as const),
    (link) => shapeLink(link, { bytesPerSecond: 12.5e6, delayMs: 0 }, systemClock),
  );
  const { status, stdout, stderr } = await coordinator.ended;
  expect(status, stderr).toBe(0);
  const { samples } = await worker.leave();
  proxy.close();
  expect(samples).toBeGreaterThan(0);
  expect(proxy.down).toBeLessThan(0.3 * DATA_BYTES);
  const alone = JSON.parse((await runHere(...run, '--workers', 1)).stdout) as TrainResult;
  expect((JSON.parse(stdout) as TrainResult).weightsSha256).toBe(alone.weightsSha256);
});
