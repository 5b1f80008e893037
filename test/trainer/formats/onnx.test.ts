import { afterAll, describe, expect, it } from 'vitest';
import { elementsOf } from '../../../shared/graph/shape.js';
import { onnxModel } from '../../../trainer/formats/onnx/export.js';
import { TrainedModel } from '../../../trainer/trained-model.js';
import { allNetworks, randomInputs, randomWeights } from './networks.js';
import { type OnnxRuntime, onnxRuntime } from './onnx-runtime.js';

/* ONNX Runtime computes what predict computes. */

const ORT = onnxRuntime();
const ROWS = 100;
const TOLERANCE = 1e-5;
const networks = await allNetworks();
const open: TrainedModel[] = [];
afterAll(async () => {
  for (const model of open) await model.stop();
});

describe.skipIf(ORT === undefined)('ONNX Runtime predicts what predict does', () => {
  it.each(networks)(
    '%s',
    async (_, network) => {
      const { InferenceSession, Tensor } = ORT as OnnxRuntime;
      const weights = randomWeights(network, 7);
      const model = await TrainedModel.load({ network, leafSize: 4, threads: 1, backend: 'auto' }, weights);
      open.push(model);
      const inputs = randomInputs(network, ROWS, 11);
      const expected = await model.predictor.predict(inputs);
      const size = model.outputFloats;
      const session = await InferenceSession.create(onnxModel(network, weights, { version: '1' }));
      let furthest = 0;
      for (const batch of [1, 7]) {
        for (let from = 0; from < ROWS; from += batch) {
          const rows = Math.min(batch, ROWS - from);
          const feeds = Object.fromEntries(
            network.inputs.map(({ name, shape }) => {
              const elements = elementsOf(shape);
              const values = (inputs[name] as Float32Array).slice(from * elements, (from + rows) * elements);
              return [name, new Tensor('float32', values, [rows, ...shape])];
            }),
          );
          const { data, dims } = Object.values(await session.run(feeds))[0] as {
            data: Float32Array;
            dims: number[];
          };
          expect(dims[0]).toBe(rows);
          expect(data).toHaveLength(rows * size);
          data.forEach((value, i) => {
            const wanted = expected[from * size + i] as number;
            furthest = Math.max(furthest, Math.abs(value - wanted) / Math.max(1, Math.abs(wanted)));
          });
        }
      }
      expect(furthest).toBeLessThanOrEqual(TOLERANCE);
      expect(furthest).toBeGreaterThanOrEqual(0);
      // An output that does not depend on its input would agree by chance.
      expect(new Set(expected.subarray(0, 10 * size)).size).toBeGreaterThan(1);
      await session.release();
    },
    120_000,
  );
});
