import { describe, expect, it } from 'vitest';
import { readOnnx } from '../../../trainer/formats/onnx/import/import.js';
import { encodeModel } from '../../../trainer/formats/onnx/messages.js';
import { furthest, predicted } from './predicted.js';

describe('pooling of volumes', () => {
  const SIZE = [3, 4, 5] as const;
  type Attributes = Parameters<typeof encodeModel>[0]['nodes'][number]['attributes'];
  const volumes = (op: string, attributes: Attributes): Uint8Array =>
    encodeModel({
      ...{ name: 'x', opset: 17, version: '1', metadata: {}, constants: [] },
      inputs: [{ name: 'x', shape: [2, ...SIZE] }],
      outputs: [{ name: 'y', shape: [2, 1, 1, 1] }],
      nodes: [{ op, name: 'pool', inputs: ['x'], outputs: ['y'], attributes }],
    });
  const x = Float32Array.from({ length: 2 * 60 }, (_, i) => ((i * 37) % 61) - 30);

  /** Pooling as it is defined: pads count as zeros in means, and not at all in maxima. */
  function reference(
    mean: boolean,
    window: readonly number[],
    strides: readonly number[],
    pads: readonly number[],
  ) {
    const counts = SIZE.map((size, a) => {
      const room = size + (pads[a] as number) + (pads[a + 3] as number) - (window[a] as number);
      return Math.floor(room / (strides[a] as number)) + 1;
    });
    const out: number[] = [];
    const axes = (sizes: readonly number[], visit: (place: number[]) => void): void => {
      for (let i = 0; i < (sizes[0] as number); i++)
        for (let j = 0; j < (sizes[1] as number); j++)
          for (let k = 0; k < (sizes[2] as number); k++) visit([i, j, k]);
    };
    for (let channel = 0; channel < 2; channel++)
      axes(counts, (result) => {
        const seen: number[] = [];
        axes(window, (tap) => {
          const at = tap.map(
            (t, a) => (result[a] as number) * (strides[a] as number) + t - (pads[a] as number),
          );
          const isInside = at.every((place, a) => place >= 0 && place < (SIZE[a] as number));
          const [d = 0, h = 0, w = 0] = at;
          if (isInside) seen.push(x[((channel * 3 + d) * 4 + h) * 5 + w] as number);
        });
        const sum = seen.reduce((a, b) => a + b, 0);
        out.push(mean ? sum / window.reduce((a, b) => a * b, 1) : Math.max(...seen));
      });
    return out;
  }

  const ints = (...values: number[]) => ({ ints: values });
  it.each<[string, string, Attributes, number[]]>([
    [
      'maxima',
      'MaxPool',
      { kernel_shape: ints(2, 2, 3), strides: ints(1, 2, 1) },
      reference(false, [2, 2, 3], [1, 2, 1], Array(6).fill(0)),
    ],
    [
      'maxima with pads',
      'MaxPool',
      { kernel_shape: ints(2, 3, 3), strides: ints(2, 1, 2), pads: ints(1, 1, 1, 0, 1, 1) },
      reference(false, [2, 3, 3], [2, 1, 2], [1, 1, 1, 0, 1, 1]),
    ],
    [
      'means',
      'AveragePool',
      { kernel_shape: ints(3, 2, 2) },
      reference(true, [3, 2, 2], [1, 1, 1], Array(6).fill(0)),
    ],
    [
      'means with pads that count',
      'AveragePool',
      {
        kernel_shape: ints(2, 2, 2),
        strides: ints(2, 2, 2),
        pads: ints(0, 0, 1, 1, 0, 0),
        count_include_pad: { int: 1 },
      },
      reference(true, [2, 2, 2], [2, 2, 2], [0, 0, 1, 1, 0, 0]),
    ],
    ['the maximum of all', 'GlobalMaxPool', {}, reference(false, SIZE, [1, 1, 1], Array(6).fill(0))],
    ['the mean of all', 'GlobalAveragePool', {}, reference(true, SIZE, [1, 1, 1], Array(6).fill(0))],
  ])('%s', async (_, op, attributes, expected) => {
    const imported = readOnnx(volumes(op, attributes), 'm.onnx');
    const network = imported.model();
    const values = await predicted(network, imported.weights(network), { x });
    expect(values).toHaveLength(expected.length);
    expect(furthest(values, Float32Array.from(expected))).toBeLessThan(1e-5);
  });

  it('that means something else is refused', () => {
    const window = { kernel_shape: ints(2, 2, 2) };
    const refused = (op: string, more: Attributes) => () =>
      readOnnx(volumes(op, { ...window, ...more }), 'm.onnx');
    expect(refused('AveragePool', { pads: ints(1, 0, 0, 0, 0, 0) })).toThrow(
      'pads [1, 0, 0, 0, 0, 0] that do not count',
    );
    expect(refused('MaxPool', { dilations: ints(2, 1, 1) })).toThrow('dilations other than 1');
    expect(refused('MaxPool', { strides: ints(2, 2, 2), ceil_mode: { int: 1 } })).toThrow(
      'windows beyond the volume',
    );
    expect(refused('MaxPool', { auto_pad: { string: 'SAME_UPPER' } })).toThrow('auto_pad of a volume');
  });
});
