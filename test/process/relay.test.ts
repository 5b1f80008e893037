import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import type { WorkerResult } from '../../trainer/worker-run.js';
import { type Ended, type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';
import { FaultyExecutor, TestWorker } from '../support/test-worker.js';
import { checksOr } from '../support/thoroughness.js';

/* Relays as processes: whatever is below the coordinator, and whatever of it is killed, the weights are those of a run alone. */

const RUN = ['train', '--data', 'digits', '--batch', 64, '--leaf', 4, '--json'];

interface Tree {
  readonly folder: string;
  readonly coordinator: Program;
  /** Starts a worker, or a relay that waits for so many, below the run or relay that has printed a join line. */
  readonly join: (name: string, below: Program, relayed?: number) => Promise<Program>;
}

function plant(options: readonly (string | number)[]): Tree {
  const folder = temporaryFolder();
  writeFiles(join(folder, 'digits'), smallData());
  const coordinator = start([...RUN, ...options, '--workers', 0, '--listen', '127.0.0.1:0'], folder);
  return {
    folder,
    coordinator,
    join: async (name, below, relayed = 0) => {
      const url = await below.joinUrl();
      const listen = relayed > 0 ? ['--listen', '127.0.0.1:0', '--min-workers', relayed] : [];
      return start([relayed > 0 ? 'relay' : 'worker', url, '--name', name, '--json', ...listen], folder);
    },
  };
}

function resultOf<T>({ status, stdout, stderr }: Ended): T {
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

async function hashAlone(folder: string, options: readonly (string | number)[]): Promise<string> {
  const alone = await programHere(folder, ...RUN, ...options, '--workers', 1);
  return resultOf<TrainResult>(alone).weightsSha256 as string;
}

it('gives the weights of a run alone through a tree of relays, with a codec', async () => {
  const options = ['--steps', 40, '--compress', 'int8'];
  const { folder, coordinator, join: grow } = plant(options);
  const upper = await grow('upper', coordinator, 2);
  const lower = await grow('lower', upper, 2);
  const workers = [await grow('a', upper), await grow('b', lower), await grow('c', lower)];
  const { weightsSha256 } = resultOf<TrainResult>(await coordinator.ended);
  const counted = await Promise.all(
    [upper, lower, ...workers].map(async ({ ended }) => resultOf<WorkerResult>(await ended)),
  );
  expect(counted.every(({ reason }) => reason === 'the run is finished')).toBe(true);
  expect(counted[0]?.samples).toBeGreaterThanOrEqual(40 * 60);
  expect(weightsSha256).toBe(await hashAlone(folder, options));
});

it('gives the same weights when a worker below, a relay below and a relay are killed', async () => {
  const options = ['--steps', 500];
  const { folder, coordinator, join: grow } = plant([...options, '--min-workers', 2]);
  const upper = await grow('upper', coordinator, 1);
  const lower = await grow('lower', upper, 1);
  const [a, b, c] = [await grow('a', upper), await grow('b', upper), await grow('c', lower)];
  await upper.prints(/lower joined/);
  const direct = await grow('direct', coordinator);
  await coordinator.prints(/epoch 3:/);
  a.signal('SIGKILL');
  await upper.prints(/a left/);
  await coordinator.prints(/epoch 20:/);
  lower.signal('SIGKILL');
  await upper.prints(/lower left/);
  await coordinator.prints(/epoch 30:/);
  upper.signal('SIGKILL');
  await coordinator.prints(/upper left/);
  const { weightsSha256 } = resultOf<TrainResult>(await coordinator.ended);
  for (const orphan of [b, c]) orphan.signal('SIGTERM');
  expect((await direct.ended).status).toBe(0);
  expect(weightsSha256).toBe(await hashAlone(folder, options));
});

it.each(checksOr(['none', 'int4'], (codec) => codec === 'int4'))(
  'trains replicas of local updates below a relay, also when a worker there is killed, codec %s',
  async (codec) => {
    const options = ['--steps', 200, '--sync', 'local:replicas=4,steps=10', '--compress', codec];
    const { folder, coordinator, join: grow } = plant(options);
    const relay = await grow('relay', coordinator, 2);
    const [a, b] = [await grow('a', relay), await grow('b', relay)];
    await coordinator.prints(/epoch 5:/);
    a.signal('SIGKILL');
    await relay.prints(/a left/);
    const { weightsSha256 } = resultOf<TrainResult>(await coordinator.ended);
    const [above, below] = await Promise.all(
      [relay, b].map(async ({ ended }) => resultOf<WorkerResult>(await ended)),
    );
    expect(below?.samples).toBeGreaterThan(0);
    // What a has computed of the others is not counted anywhere else.
    expect(above?.samples).toBeGreaterThan(below?.samples as number);
    expect(weightsSha256).toBe(await hashAlone(folder, options));
  },
);

it('names the worker below a relay that was wrong, and keeps the relay and the others', async () => {
  const options = ['--steps', 400];
  const { folder, coordinator, join: grow } = plant([...options, '--audit', 1, '--min-workers', 3]);
  const relay = await grow('relay', coordinator, 3);
  const others = [await grow('a', relay), await grow('b', relay)];
  const direct = [await grow('c', coordinator), await grow('d', coordinator)];
  const liar = await TestWorker.join(await relay.joinUrl(), 'liar', (inner) => new FaultyExecutor(inner, 30));
  await coordinator.prints(/liar \(below relay\)/);
  await relay.prints(/liar is expelled/);
  const { weightsSha256 } = resultOf<TrainResult>(await coordinator.ended);
  const kept = await Promise.all(
    [relay, ...others, ...direct].map(async ({ ended }) => resultOf<WorkerResult>(await ended)),
  );
  expect(kept.every(({ reason }) => reason === 'the run is finished')).toBe(true);
  expect((await liar.leave()).exitReason).toBe('refused');
  expect(weightsSha256).toBe(await hashAlone(folder, options));
});
