import { describe, expect, it } from 'vitest';
import type { TrainingRows } from '../../shared/compiler/batch-rows.js';
import { checkFields } from '../../shared/compiler/data-fields.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import { MODELS, type ModelName } from '../graph/models.js';
import { syntheticSamples } from '../graph/samples.js';
import { spread } from '../support/numbers.js';
import { emitCall, Recorder } from '../support/recorder.js';
import { Trainer } from '../support/trainer.js';

const NAMES = Object.keys(MODELS) as ModelName[];

/** A range without data: enough to write a command buffer that never runs. */
function unboundRows(rows: number): TrainingRows {
  const fields = {
    x: { dtype: 'u8', shape: [5], offset: 0, scale: 1, shift: 0 },
    y: { dtype: 'u8', shape: [], offset: 8, scale: 1, shift: 0 },
  } as const;
  const data = { chunkTable: 64, cursor: 128, seed: 1, chunkSamples: 100, recordBytes: 12, fields };
  const subtrees = [{ row: 0, rows, out: 4096 }];
  return { rows, first: 0, batch: rows, leafSize: 4, subtrees, weights: 8192, scratch: 65536, data };
}

describe('a plan', () => {
  it('trains with as few kernel calls as the model allows', () => {
    const recorder = new Recorder();
    createPlan(MODELS.classifier()).emitTraining(recorder, unboundRows(32));
    expect(recorder.calls.map(({ name }) => name)).toEqual([
      'gatherU8',
      'matmul', // with relu in its epilogue
      'matmul',
      'gatherU8AsI32',
      'softmaxCrossEntropySparseForward',
      'treeSumRows', // loss
      'treeSumRows', // correct
      'softmaxCrossEntropySparseBackward',
      'matmulTransposedB',
      'treeMatmulTransposedA',
      'treeSumRows',
      'reluBackward',
      // No error term for the input of the model.
      'treeMatmulTransposedA',
      'treeSumRows',
    ]);
  });

  it('writes the same command buffer for the same range', () => {
    const plan = createPlan(MODELS.residual());
    const words = [1, 2].map(() => {
      const recorder = new Recorder();
      const fields = {
        x: { dtype: 'f32', shape: [4], offset: 0, scale: 1, shift: 0 },
        y: { dtype: 'f32', shape: [4], offset: 16, scale: 1, shift: 0 },
      } as const;
      const range = unboundRows(13);
      plan.emitTraining(recorder, { ...range, data: { ...range.data, fields } });
      return [...recorder.words()];
    });
    expect(words[0]).toEqual(words[1]);
  });

  it('places every parameter at a multiple of 64 bytes, in name order', () => {
    const { parameters, parameterFloats, vectorFloats } = createPlan(MODELS.classifier());
    expect(parameters.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ['dense/bias', 0, 7],
      ['dense/kernel', 16, 35],
      ['dense_1/bias', 64, 4],
      ['dense_1/kernel', 80, 28],
    ]);
    expect([parameterFloats, vectorFloats]).toEqual([112, 128]);
  });

  it('needs no more scratch memory for fewer rows', () => {
    for (const name of NAMES) {
      const plan = createPlan(MODELS[name]());
      for (let rows = 1; rows < 70; rows++) {
        expect(plan.scratchBytes(rows)).toBeLessThanOrEqual(plan.scratchBytes(rows + 1));
      }
    }
  });

  it('lists the fields of the data that it needs', () => {
    const { fields } = createPlan(MODELS.classifier());
    expect(fields).toEqual([
      { name: 'x', shape: [5], dtype: 'f32' },
      { name: 'y', shape: [], dtype: 'i32' },
    ]);
    const x = { dtype: 'u8', shape: [5] } as const;
    const y = { dtype: 'u8', shape: [] } as const;
    checkFields(fields, { x, y });
    expect(() => checkFields(fields, { x })).toThrow(/uses the field y, but the data has x/);
    expect(() => checkFields(fields, { x: { ...x, shape: [28, 28] }, y })).toThrow(
      /field x: .*\[28, 28\].*\[5\]/,
    );
    expect(() => checkFields(fields, { x, y: { ...y, dtype: 'f32' } })).toThrow(/field y: .*f32.*i32/);
    expect(() => checkFields(fields, {})).toThrow(UserError);
  });
});

describe('a running plan', () => {
  const open = async (name: ModelName): Promise<Trainer> => {
    const model = MODELS[name]();
    const trainer = await Trainer.open({
      model,
      samples: syntheticSamples(createPlan(model), 9),
      leafSize: 4,
    });
    trainer.initialise(3);
    return trainer;
  };

  it.each(NAMES)(
    'reads no scratch memory before it is written, and writes none beyond it: %s',
    async (name) => {
      const trainer = await open(name);
      const before = [trainer.gradient(), trainer.predict()];
      const guards = trainer.dirtyScratch();
      expect([trainer.gradient(), trainer.predict()]).toEqual(before);
      expect(guards.map((guard) => [...guard].every(Number.isNaN))).toEqual([true, true]);
    },
  );

  it.each(NAMES)('a fused activation gives the bits of the two separate ops: %s', async (name) => {
    const trainer = await open(name);
    const scratch = trainer.space.memory.allocate(4 * 9 * 64);
    const unfused = trainer.predict((to, { name: kernel, args }) => {
      const { activation = 0, rows = 0, cols = 0, out = 0 } = args;
      if (kernel !== 'matmul' || activation === 0) return false;
      emitCall(to, { name: kernel, args: { ...args, out: scratch, activation: 0 } });
      to.emit('reluForward', { x: scratch, y: out, n: rows * cols });
      return true;
    });
    expect(unfused).toEqual(trainer.predict());
  });

  it('reads bytes with their scale and shift', async () => {
    const model = MODELS.classifier();
    const bytes = spread(4, 45, 0, 256).map(Math.floor);
    const y = { dtype: 'u8', shape: [], values: [0, 1, 2, 3, 3, 2, 1, 0, 1] } as const;
    const asBytes = {
      x: { dtype: 'u8', shape: [5], values: bytes, scale: 1 / 256, shift: -0.5 },
      y,
    } as const;
    const asFloats = {
      x: { dtype: 'f32', shape: [5], values: bytes.map((byte) => byte / 256 - 0.5) },
      y: { ...y, dtype: 'i32' },
    } as const;
    const vectors = [];
    for (const samples of [asBytes, asFloats]) {
      const trainer = await Trainer.open({ model, samples });
      trainer.initialise(1);
      vectors.push(trainer.gradient());
    }
    expect(vectors[0]).toEqual(vectors[1]);
  });
});
