import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recipe } from '../../examples/mnist-mlp.js';
import { type Codec, encodedBytes } from '../../shared/codec/codec.js';
import { createPlan } from '../../shared/compiler/plan.js';
import type { TrainResult } from '../../trainer/result.js';
import { CountingProxy } from '../support/counting-proxy.js';
import { type Ended, type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';
import { FaultyExecutor, TestWorker } from '../support/test-worker.js';
import { proofOr } from '../support/thoroughness.js';

/*
 * One hash for any number of machines, with local updates: four replicas of batches of 16, six steps a round. 500 samples make
 * epochs of 32 optimizer steps, the last of which has 4 samples; a round takes 24. What happens to machines and to the
 * coordinator is tested with int4, which rounds results and updates and keeps a residual.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-local-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = [
  ...['train', '--batch', 64, '--leaf', 8, '--optimizer', 'adam', '--sync', 'local:replicas=4,steps=6'],
  ...['--json', '--data', DATA],
];
const INT4 = [...RUN, '--compress', 'int4'];
const LISTEN = ['--listen', '127.0.0.1:0', '--placement', 'all'];
const ROUNDS = 12;

let reference: TrainResult;
beforeAll(async () => {
  reference = resultOf(await runHere(...RUN, '--steps', ROUNDS, '--workers', 1));
});
afterAll(() => rmSync(ROOT, { recursive: true }));

function resultOf({ status, stdout, stderr }: Ended, expected = 0): TrainResult {
  expect(status, stderr).toBe(expected);
  return JSON.parse(stdout) as TrainResult;
}

function joining(url: string, name: string, ...options: (string | number)[]): Program {
  return start(['worker', url, '--name', name, ...options]);
}

/** The weights of a run of so many rounds by one worker, with int4. */
async function undisturbed(rounds: number): Promise<string> {
  return resultOf(await runHere(...INT4, '--steps', rounds, '--workers', 1, '--backend', 'wasm'))
    .weightsSha256;
}

describe('the weights of local updates', () => {
  it.each([
    ['two workers', ['--workers', 2]],
    ['three workers', ['--workers', 3]],
    ['five workers, of which one has nothing to do', ['--workers', 5]],
    ['two threads that share each replica', ['--workers', 1, '--threads', 2]],
    ['WebAssembly', ['--workers', 2, '--backend', 'wasm']],
  ])('are the same with %s', async (_what, options) => {
    const result = resultOf(await runHere(...RUN, '--steps', ROUNDS, ...options));
    expect(result).toMatchObject({
      weightsSha256: reference.weightsSha256,
      metrics: reference.metrics,
      samples: reference.samples,
    });
  });

  it.each(
    proofOr<[Codec, number]>(
      [
        ['none', 3],
        ['bf16', 2],
        ['int8', 3],
        ['int4', 2],
        ['int4', 5],
      ],
      ([compress, machines]) => compress === 'none' || machines === 5,
    ),
  )('are the same with %s and %i machines, and no round is computed twice', async (compress, machines) => {
    const coded = [...RUN, '--compress', compress, '--steps', ROUNDS, '--workers', 1];
    const coordinator = start([...coded, ...LISTEN, '--min-workers', machines]);
    const url = await coordinator.joinUrl();
    const workers = Array.from({ length: machines - 1 }, (_, i) =>
      joining(url, `worker ${i}`, '--threads', 1 + (i % 2), '--backend', i === 1 ? 'wasm' : 'auto'),
    );
    const ended = await coordinator.ended;
    const alone = compress === 'none' ? reference : resultOf(await runHere(...coded, '--backend', 'wasm'));
    const result = resultOf(ended);
    expect(result).toMatchObject({ weightsSha256: alone.weightsSha256, metrics: alone.metrics });
    expect(result.weightsSha256 === reference.weightsSha256).toBe(compress === 'none');
    expect(result.workers).toHaveLength(machines);
    // A member's rehearsal without data leaves NaN where its next result lies.
    expect(ended.stderr).not.toContain('not finite');
    for (const program of workers) expect((await program.ended).status).toBe(0);
  });

  it('are the same after the coordinator was killed, and others resumed the run', async () => {
    const folder = temporaryFolder();
    const options = ['--steps', 40, '--run-dir', 'r', '--checkpoint-every', 2];
    const first = start([...INT4, ...options, '--workers', 2], folder);
    await first.prints(/step +\d+\/40/);
    first.signal('SIGKILL');
    await first.ended;
    const second = start(['train', '--resume', 'r', '--json', '--data', DATA, '--workers', 1], folder);
    expect(resultOf(await second.ended).weightsSha256).toBe(await undisturbed(40));
    const verified = await programHere(folder, 'verify', 'r');
    expect(verified.status, verified.stderr).toBe(0);
  });

  it('are their moving average with --ema and a codec, also when the coordinator was killed', async () => {
    const averaged = [...RUN, '--compress', 'int8', '--ema', 0.9];
    const open = [
      '--steps',
      40,
      '--workers',
      1,
      '--min-workers',
      2,
      '--run-dir',
      'r',
      '--checkpoint-every',
      2,
    ];
    const folder = temporaryFolder();
    const first = start([...averaged, ...LISTEN, ...open], folder);
    const worker = joining(await first.joinUrl(), 'remote');
    await first.prints(/step +\d+\/40/);
    first.signal('SIGKILL');
    await first.ended;
    worker.signal('SIGKILL');
    await worker.ended;
    const resume = ['train', '--resume', 'r', '--json', '--data', DATA, '--workers', 2];
    const resumed = resultOf(await programHere(folder, ...resume));
    const alone = resultOf(await runHere(...averaged, '--steps', 40, '--workers', 1, '--backend', 'wasm'));
    expect(resumed).toMatchObject({ weightsSha256: alone.weightsSha256, metrics: alone.metrics });
    const without = resultOf(await runHere(...RUN, '--compress', 'int8', '--steps', 40, '--workers', 2));
    expect(alone.weightsSha256).not.toBe(without.weightsSha256);
    expect(alone.metrics).not.toEqual(without.metrics);
    const verified = await programHere(folder, 'verify', 'r');
    expect(verified.status, verified.stderr).toBe(0);
  });

  it('are the same when a machine is killed in the middle of a round, and another joins', async () => {
    const coordinator = start([...INT4, ...LISTEN, '--steps', 1_000_000, '--workers', 0, '--min-workers', 2]);
    const url = await coordinator.joinUrl();
    const steady = joining(url, 'steady');
    const victim = joining(url, 'victim');
    await coordinator.prints(/2 at work/);
    const successor = joining(url, 'successor');
    await coordinator.prints(/successor joined/);
    // The frozen victim holds replicas that it never finishes.
    victim.signal('SIGSTOP');
    await coordinator.prints(/victim left \(.*\); 2 at work/);
    victim.signal('SIGKILL');
    coordinator.signal('SIGINT');
    const result = resultOf(await coordinator.ended, 130);
    expect(result.weightsSha256).toBe(await undisturbed(result.steps));
    for (const program of [steady, successor]) expect((await program.ended).status).toBe(0);
  });

  it('are the same when a machine lies: it is expelled, and the round rolls back', async () => {
    const folder = temporaryFolder();
    const open = ['--steps', 1_000_000, '--workers', 1, '--min-workers', 2, '--audit', 0.5];
    const coordinator = start([...INT4, ...LISTEN, ...open], folder);
    const liar = await TestWorker.join(
      await coordinator.joinUrl(),
      'liar',
      (inner) => new FaultyExecutor(inner, 5),
    );
    expect(await liar.ended).toMatchObject({ exitReason: 'refused' });
    await liar.leave();
    // A run that went back to its beginning has done nothing until then.
    await coordinator.prints(/refused liar[\s\S]*\nepoch /);
    coordinator.signal('SIGINT');
    const result = resultOf(await coordinator.ended, 130);
    expect(result.weightsSha256).toBe(await undisturbed(result.steps));
    const lines = readFileSync(join(folder, result.runDir, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const evidence = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'expelled');
    expect(evidence).toMatchObject({ member: 'liar', parameter: expect.stringMatching(/\w/) });
    expect(evidence.to).toBe(evidence.from + 1);
  });
});

describe.each(['none', 'int4'] as const)('the bytes of a round with %s', (codec) => {
  /** Bytes up and down of a run with one remote worker, which computes both replicas. */
  async function bytesOf(rounds: number): Promise<CountingProxy> {
    const shape = ['--batch', 8, '--leaf', 4, '--optimizer', 'adam', '--sync', 'local:replicas=2,steps=2'];
    const options = ['--steps', rounds, '--workers', 0, '--listen', '127.0.0.1:0', '--no-tls'];
    const run = ['train', 'mnist-mlp', ...shape, ...options, '--json', '--data', DATA, '--compress', codec];
    const coordinator = start(run);
    const url = new URL(await coordinator.joinUrl());
    const proxy = await CountingProxy.open(Number(url.port));
    url.port = String(proxy.port);
    const worker = joining(url.href, 'counted');
    resultOf(await coordinator.ended);
    expect((await worker.ended).status).toBe(0);
    proxy.close();
    return proxy;
  }

  it('are those of the formula within two per cent', async () => {
    const [few, many] = [await bytesOf(3), await bytesOf(13)];
    const plan = createPlan(recipe.model(await recipe.data(DATA)));
    const vectors = 3 * (codec === 'none' ? 4 * plan.parameterFloats : encodedBytes(codec, plan.parameters));
    const metrics = 4 * (plan.vectorFloats - plan.parameterFloats);
    // Both results go up; the state, or the update of the round before, comes with the first replica.
    const expected = { up: 2 * (vectors + metrics), down: vectors + 2 * 8 * 4 };
    for (const way of ['up', 'down'] as const) {
      const counted = (many[way] - few[way]) / 10;
      expect(Math.abs(counted / expected[way] - 1), `${way}: ${counted}, not ${expected[way]}`).toBeLessThan(
        0.02,
      );
    }
  });
});
