import { createServer } from 'node:net';
import { join as joinPath } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { shapeOf } from '../../../shared/data/dataset.js';
import { csv } from '../../../shared/data/tables/csv.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { parseJoinUrl } from '../../../shared/protocol/join-url.js';
import {
  join,
  load,
  type TrainingEvent,
  type TrainingOptions,
  train,
} from '../../../trainer/public/unisum.js';
import type { Recipe } from '../../../trainer/recipe.js';
import { tableFile } from '../../data/tables/table-files.js';
import { temporaryFolder } from '../../support/process.js';
import { pairs, xor } from './xor.js';

/* The library runs compiled threads; the rest of it runs from its sources. */

afterEach(() => vi.restoreAllMocks());

const LONG = 1_000_000;

/** Options of a run in a folder of its own. */
function options(more: TrainingOptions = {}): TrainingOptions {
  return { runDir: joinPath(temporaryFolder(), 'run'), workers: 1, ...more };
}

describe('train', () => {
  it('gives the same weights, watched or not, for any number of workers', async () => {
    const unwatched = await train(xor, options());
    const run = train(xor, options({ workers: 2 }));
    const calls = { step: 0, evaluation: 0, epoch: 0, checkpoint: 0 };
    run.onStep(({ step }) => expect(step).toBe(++calls.step));
    run.onEvaluation(({ metrics }) => {
      calls.evaluation += 1;
      expect(() => Object.assign(metrics, { testLoss: 0 })).toThrow(TypeError);
    });
    run.onEpoch(({ epoch }) => expect(epoch).toBe(++calls.epoch));
    const remove = run.onCheckpoint(() => (calls.checkpoint += 1));
    const events: TrainingEvent[] = [];
    for await (const event of run) {
      events.push(event);
      expect(() => Object.assign(event, { step: -1 })).toThrow(TypeError);
    }
    remove();
    const result = await run;
    expect(result).toMatchObject({ exitReason: 'finished', steps: 80, recipe: 'program' });
    expect(result.weightsSha256).toBe(unwatched.weightsSha256);
    expect(calls).toMatchObject({ step: 80, evaluation: 20, epoch: 20 });
    expect(calls.checkpoint).toBeGreaterThan(0);
    const last = events.filter(({ kind }) => kind === 'evaluation').at(-1);
    expect(last).toEqual({ kind: 'evaluation', step: 80, epoch: 20, metrics: result.metrics });
  });

  it('takes typed options as the command line would take them', async () => {
    const run = await train(
      xor,
      options({
        ...{ batch: 8, steps: 12, lr: 1e-7, clipNorm: 1, seed: 4, gradientNoise: false },
        ...{
          schedule: { name: 'cosine', warmup: 2, floor: 0.1 },
          checkpointEvery: 4,
          keepCheckpoints: 'all',
        },
        earlyStopping: { patience: 3, minDelta: 0.5, restoreBest: false },
      }),
    );
    expect(run).toMatchObject({ steps: 12, samples: 96 });
    await expect(train(xor, options({ batch: 0 }))).rejects.toThrow('--batch takes a whole number from 1');
    await expect(train(xor, { epocs: 3 } as TrainingOptions)).rejects.toThrow(/epocs.*did you mean/);
  });

  it('is stopped, which saves, and is resumed with the same weights', async () => {
    const whole = await train(xor, options());
    const runDir = joinPath(temporaryFolder(), 'run');
    const run = train(xor, options({ runDir }));
    run.onStep(({ step }) => step === 30 && void run.stop());
    expect(await run).toMatchObject({ exitReason: 'interrupted' });
    const rest = await train(xor, { resume: runDir });
    expect(rest).toMatchObject({ exitReason: 'finished', weightsSha256: whole.weightsSha256 });
  });

  it('is aborted by a signal, also before it starts, and leaves its port', async () => {
    const abort = new AbortController();
    const run = train(xor, { ...options({ epochs: LONG }), signal: abort.signal });
    const { port } = parseJoinUrl(await run.listen());
    abort.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await new Promise<void>((resolve, reject) => {
      const server = createServer().once('error', reject);
      server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
    });
    await expect(train(xor, { ...options(), signal: abort.signal })).rejects.toThrow('enough');
  });

  it('ends with the error of a listener', async () => {
    const run = train(xor, options({ epochs: LONG }));
    run.onStep(({ step }) => {
      if (step === 5) throw new Error('a fault of the program');
    });
    await expect(run).rejects.toThrow('a fault of the program');
  });

  it('ends a loop over its events with its own error', async () => {
    const run = train(xor, options({ batch: 1 << 30 }));
    const loop = async (): Promise<void> => {
      for await (const _ of run);
    };
    await expect(loop()).rejects.toThrow('--batch');
  });

  it('prints nothing', async () => {
    const out = vi.spyOn(process.stdout, 'write');
    const err = vi.spyOn(process.stderr, 'write');
    const { runDir } = await train(xor, options({ epochs: 1 }));
    const model = await load(runDir);
    await model.evaluate(pairs(8));
    await model.dispose();
    expect(out).not.toHaveBeenCalled();
    expect(err).not.toHaveBeenCalled();
  });
});

describe('join', () => {
  it('works for a run until it ends, and leaves when it is told to', async () => {
    const run = train(xor, options({ epochs: LONG, placement: 'all' }));
    const url = await run.listen();
    const changes: string[] = [];
    const leave = new AbortController();
    const first = join(url, { name: 'first', signal: leave.signal });
    const left = new Promise<void>((resolve) => {
      run.onWorker(({ name, change }) => {
        changes.push(`${name} ${change}`);
        if (change === 'joined') leave.abort();
        else resolve();
      });
    });
    await left;
    expect((await first).samples).toBeGreaterThanOrEqual(0);
    const second = join(url, { name: 'second' });
    run.onWorker(({ name }) => name === 'second' && void run.stop());
    expect((await run).exitReason).toBe('interrupted');
    expect((await second).reason).toContain('interrupted');
    expect(changes.slice(0, 2)).toEqual(['first joined', 'first left']);
    await expect(join('ws://127.0.0.1:1', {})).rejects.toThrow();
  });
});

describe('load', () => {
  it('predicts the same bits in any batch, evaluates, and describes the model', async () => {
    const result = await train(xor, options());
    const model = await load(result.runDir, { threads: 2 });
    const inputs = Float32Array.from({ length: 2000 }, (_, i) => i % 2);
    const whole = await model.predict(inputs);
    expect(whole).toHaveLength(2000);
    expect(await model.predict({ x: inputs }, { batch: 7 })).toEqual(whole);
    const [first] = model.read(await model.predict(Float32Array.of(0, 1)));
    expect(first).toMatchObject({ class: '1' });
    expect(await model.evaluate(pairs(8))).toEqual(result.metrics);
    expect(model.weightsSha256).toBe(result.weightsSha256);
    expect([model.inputs, model.outputShape, model.classes]).toEqual([{ x: [2] }, [2], undefined]);
    expect(model.summary()).toContain('42 parameters, loss sparseCategoricalCrossentropy');
    const signal = AbortSignal.abort(new Error('never mind'));
    await expect(model.predict(inputs, { signal })).rejects.toThrow('never mind');
    await expect(model.evaluate(pairs(8), { signal })).rejects.toThrow('never mind');
    await expect(model.predict(new Uint8Array(2))).rejects.toThrow('x takes a Float32Array');
    await expect(model.predict(Float32Array.of(1))).rejects.toThrow('takes 2 numbers a row');
    await expect(model.evaluate('new.csv')).rejects.toThrow('new.csv does not exist');
    const exported = joinPath(temporaryFolder(), 'exported');
    expect(await model.export(exported, { format: 'onnx' })).toEqual([joinPath(exported, 'model.onnx')]);
    await expect(model.export(exported, { format: 'onx' as 'onnx' })).rejects.toThrow('did you mean onnx?');
    await model.export(exported);
    const again = await load(exported);
    expect(again.weightsSha256).toBe(model.weightsSha256);
    await again.dispose();
    await model.dispose();
    await model.dispose();
    await expect(model.predict(inputs)).rejects.toThrow('disposed of');
  });

  it('gives the notes about a file that is measured to who asks for them', async () => {
    const table = (rows: readonly string[]) => tableFile(['size,y', ...rows]);
    const trained = table(Array.from({ length: 40 }, (_, i) => `${i},${i % 2 === 0 ? 'a' : 'b'}`));
    const recipe: Recipe = {
      ...xor,
      model: () => {
        const graph = new Graph();
        const loss = sparseCategoricalCrossentropy({ target: 'target' });
        return graph.model(dense(2, { activation: 'softmax' })(graph.input('features', [1])), loss);
      },
      data: () => csv(trained, { target: 'y' }),
    };
    const { runDir } = await train(recipe, options({ epochs: 1 }));
    await using model = await load(runDir);
    const file = table(['3,a', '70000,b']);
    const notes: string[] = [];
    const metrics = await model.evaluate(file, { onNote: (note) => notes.push(note) });
    expect(notes.join('\n')).toMatch(
      /size: 1 of 2 rows are more than 10 deviations from the training data \(70000;/,
    );
    expect(await model.evaluate(file)).toEqual(metrics);
    await expect(model.evaluate(file, { onNotes: () => {} } as object)).rejects.toThrow(
      'did you mean onNote',
    );
  });

  it('brings files and rows to the form of the network, as unisum predict does', async () => {
    const trained = tableFile([
      'place,size,y',
      ...Array.from({ length: 40 }, (_, i) => `${i % 3 === 0 ? 'town' : 'coast'},${i},${2 * i}`),
    ]);
    const recipe: Recipe = {
      ...xor,
      model: ({ train: data }) => {
        const graph = new Graph();
        return graph.model(
          dense(1)(graph.input('features', shapeOf(data, 'features'))),
          meanSquaredError({ target: 'target' }),
        );
      },
      data: () => csv(trained, { target: 'y' }),
    };
    const { runDir } = await train(recipe, options({ epochs: 1 }));
    await using model = await load(runDir);
    const file = tableFile(['id,place,size', 'a,town,3', 'b,coast,70000']);
    const notes: string[] = [];
    const { ids, inputs } = await model.preprocess(file, { onNote: (note) => notes.push(note) });
    expect(ids).toEqual(['a', 'b']);
    expect(notes.join('\n')).toMatch(/70000/);
    const rows = [
      { place: 'town', size: 3 },
      { place: 'coast', size: 70000 },
    ];
    expect((await model.preprocess(rows)).inputs).toEqual(inputs);
    expect((await model.preprocess([file, file])).ids).toEqual([
      `${file}:a`,
      `${file}:b`,
      `${file}:a`,
      `${file}:b`,
    ]);
    expect(model.read(await model.predict(inputs))).toHaveLength(2);
    await expect(model.preprocess([{ place: 'moon', size: 3 }])).rejects.toThrow('row 1');
    await expect(model.preprocess(rows, { ids: 'size' } as object)).rejects.toThrow('did you mean id');
    await expect(model.preprocess([])).rejects.toThrow('a list of paths, or a list of rows');
    await expect(model.predict(file as never)).rejects.toThrow('model.preprocess(');
    await expect(model.predict(rows as never)).rejects.toThrow('model.preprocess(');
  });

  it('refuses what is no model', async () => {
    await expect(load('/nowhere')).rejects.toThrow('/nowhere does not exist');
    await expect(load('/nowhere', { threads: 0 })).rejects.toThrow('threads from 1');
  });
});
