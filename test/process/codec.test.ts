import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recipe } from '../../examples/mnist-cnn.js';
import { killCoordinators } from '../../scripts/dev/soak/coordinator-kills.js';
import { systemClock } from '../../shared/actor/clock.js';
import { encodedBytes } from '../../shared/codec/codec.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { SCALARS_MAX } from '../../shared/optim/optimizer.js';
import type { TrainResult } from '../../trainer/result.js';
import { CountingProxy } from '../support/counting-proxy.js';
import { type Ended, type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';
import { checksOr, proofOr } from '../support/thoroughness.js';

/* Runs with a codec, by real processes: one hash each, and as many bytes as docs/codecs.md says. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-codec-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
const OPEN = ['--listen', '127.0.0.1:0', '--placement', 'all'];

afterAll(() => rmSync(ROOT, { recursive: true }));

function resultOf({ status, stdout, stderr }: Ended): TrainResult {
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

function joining(url: string, name: string, ...options: (string | number)[]): Program {
  return start(['worker', url, '--name', name, ...options]);
}

describe.each(['bf16', 'int8', 'int4'] as const)('the same weights with %s', (codec) => {
  const short = [...RUN, '--compress', codec, '--steps', 24];
  let reference: TrainResult;

  beforeAll(async () => {
    reference = resultOf(await runHere(...short, '--workers', 1, '--backend', 'wasm'));
  });

  const usual = { bf16: 2, int8: 5, int4: 3 }[codec];

  it.each(proofOr([2, 3, 5], (workers) => workers === usual))(
    'with %i workers, of which one is local',
    async (workers) => {
      const coordinator = start([...short, ...OPEN, '--workers', 1, '--min-workers', workers]);
      const url = await coordinator.joinUrl();
      const others = Array.from({ length: workers - 1 }, (_, i) =>
        joining(url, `worker ${i}`, '--backend', i === 0 ? 'wasm' : 'auto', '--threads', 1 + (i % 2)),
      );
      const result = resultOf(await coordinator.ended);
      expect(result.weightsSha256).toBe(reference.weightsSha256);
      expect(result.metrics).toEqual(reference.metrics);
      expect(result.workers).toHaveLength(workers);
      for (const other of others) expect((await other.ended).status).toBe(0);
    },
  );
});

describe('a run with int4', () => {
  const codec = ['--compress', 'int4'];

  it('has other weights than one without, says so and can be verified', async () => {
    const folder = temporaryFolder();
    const ended = await programHere(folder, ...RUN, ...codec, '--steps', 24, '--run-dir', 'run');
    const result = resultOf(ended);
    const plain = resultOf(await runHere(...RUN, '--steps', 24));
    expect(result.weightsSha256).not.toBe(plain.weightsSha256);
    expect(ended.stderr).toMatch(/gradients are rounded to int4: a worker sends \d/);
    const config = JSON.parse(readFileSync(join(folder, 'run', 'config.json'), 'utf8'));
    expect(config.config.compress).toBe('int4');
    const verified = await programHere(folder, 'verify', 'run', '--json');
    expect(verified.status, verified.stderr).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, weightsSha256: result.weightsSha256 });
  });

  it('ends with the same weights when a worker is killed at work and another joins', async () => {
    const endless = ['--steps', 10_000_000, '--workers', 0, '--min-workers', 2, '--audit', 0.5];
    const coordinator = start([...RUN, ...codec, ...OPEN, ...endless]);
    const url = await coordinator.joinUrl();
    const steady = joining(url, 'steady');
    const victim = joining(url, 'victim');
    await coordinator.prints(/2 at work/);
    const successor = joining(url, 'successor');
    await coordinator.prints(/successor joined/);
    victim.signal('SIGKILL');
    await coordinator.prints(/victim left \(.*\); 2 at work/);
    coordinator.signal('SIGINT');
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(130);
    const result = JSON.parse(stdout) as TrainResult;
    const uninterrupted = resultOf(await runHere(...RUN, ...codec, '--steps', result.steps, '--workers', 1));
    expect(result.weightsSha256).toBe(uninterrupted.weightsSha256);
    for (const program of [steady, successor]) expect((await program.ended).status).toBe(0);
  });

  it('resumes with its residual when its coordinator is killed, and no bit differs', async () => {
    const args = ['--data', DATA, '--batch', '64', '--leaf', '8', '--compress', 'int4'];
    const report = await killCoordinators(
      {
        folder: temporaryFolder(),
        args: [...args, '--steps', '1200', '--checkpoint-every', '20'],
        tls: false,
        kills: 2,
        workers: 1,
        lifeMsMax: 1000,
        seed: 5,
      },
      systemClock,
    );
    expect(report.weightsSha256).toBe(report.expected);
  }, 120_000);

  it('refuses a codec that it does not know', async () => {
    const { status, stderr } = await runHere(...RUN, '--compress', 'int3');
    expect(status).toBe(2);
    expect(stderr).toContain('none, bf16, int8 or int4');
  });
});

describe('the bytes of a member and step', () => {
  const proxies: CountingProxy[] = [];
  afterAll(() => {
    for (const proxy of proxies) proxy.close();
  });

  /** Bytes up and down of a run with one remote worker, which computes all leaves. */
  async function bytesOf(codec: string, steps: number): Promise<{ up: number; down: number }> {
    const shape = ['--batch', 64, '--leaf', 8, '--json', '--data', DATA];
    const options = ['--steps', steps, '--workers', 0, '--listen', '127.0.0.1:0', '--no-tls'];
    const coordinator = start(['train', 'mnist-cnn', ...shape, ...options, '--compress', codec]);
    const url = new URL(await coordinator.joinUrl());
    const proxy = await CountingProxy.open(Number(url.port));
    proxies.push(proxy);
    url.port = String(proxy.port);
    const worker = joining(url.href, 'counted');
    resultOf(await coordinator.ended);
    expect((await worker.ended).status).toBe(0);
    return proxy;
  }

  it.each(checksOr(['bf16', 'int8', 'int4'] as const, (codec) => codec === 'int8'))(
    'are those of the formula within two per cent: %s',
    async (codec) => {
      const [few, many] = [await bytesOf(codec, 10), await bytesOf(codec, 40)];
      const { parameters, parameterFloats, vectorFloats } = createPlan(recipe.model(await recipe.data(DATA)));
      const encoded = encodedBytes(codec, parameters);
      // The whole batch is two partial sums; the update of a step comes with the work of the next one.
      const expected = {
        up: 2 * (encoded + 4 * (vectorFloats - parameterFloats)),
        down: encoded + 4 * SCALARS_MAX,
      };
      for (const way of ['up', 'down'] as const) {
        const counted = (many[way] - few[way]) / 30;
        expect(
          Math.abs(counted / expected[way] - 1),
          `${way}: ${counted}, not ${expected[way]}`,
        ).toBeLessThan(0.02);
      }
    },
  );
});
