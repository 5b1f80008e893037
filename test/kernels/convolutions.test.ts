import { describe, expect, it } from 'vitest';
import { geometryOf } from './image-geometry.js';
import {
  type ConvolutionGeometry,
  referenceConvolution,
  referenceConvolutionTransposed,
  referenceTreeConvolutionWeights,
} from './reference-convolutions.js';
import { bitsOf, buildNames, Numbers, Workbench } from './workbench.js';

/** [rows, height, width, inputs, outputs], kernel, stride, pad (top and left; the same below and right), dilation, groups. */
type Case = readonly [
  readonly [number, number, number, number, number],
  readonly [number, number],
  stride?: readonly [number, number],
  pad?: readonly [number, number],
  dilation?: readonly [number, number],
  groups?: number,
];

/** With and without borders, tiles along each direction, all ways to split inner blocks, all shapes of strips. */
const CONVOLUTIONS: readonly Case[] = [
  [
    [1, 1, 1, 1, 1],
    [1, 1],
  ],
  [
    [3, 5, 7, 1, 10],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [17, 4, 4, 2, 5],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [2, 28, 28, 1, 32],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [2, 14, 14, 20, 40],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [2, 9, 8, 3, 33],
    [5, 5],
    [2, 2],
    [2, 2],
  ],
  [
    [3, 7, 6, 4, 6],
    [3, 2],
    [2, 3],
    [1, 0],
  ],
  [
    [2, 8, 9, 16, 17],
    [1, 1],
    [2, 2],
  ],
  [
    [2, 9, 10, 5, 7],
    [3, 3],
    [1, 1],
    [2, 2],
    [2, 2],
  ],
  [
    [2, 11, 10, 3, 4],
    [3, 3],
    [2, 3],
    [1, 3],
    [2, 3],
  ],
  [[2, 6, 5, 12, 9], [3, 3], [1, 1], [1, 1], [1, 1], 3],
  [[2, 6, 6, 8, 8], [3, 3], [2, 2], [1, 1], [1, 1], 8],
  [[3, 9, 11, 40, 40], [3, 3], [1, 1], [1, 1], [1, 1], 40],
  [[5, 10, 9, 19, 19], [5, 4], [1, 2], [2, 1], [2, 1], 19],
  [[1, 5, 12, 2, 2], [2, 7], [1, 1], [0, 3], [1, 1], 2],
  [
    [1, 4, 4, 100, 3],
    [3, 3],
    [1, 1],
    [1, 1],
  ],
  [
    [1, 3, 3, 300, 4],
    [2, 2],
    [1, 1],
    [1, 0],
  ],
  [
    [1, 2, 60, 2, 3],
    [2, 13],
    [1, 2],
    [1, 6],
  ],
  [
    [1, 1, 1300, 1, 2],
    [1, 3],
    [1, 1],
    [0, 1],
  ],
  [
    [1, 3, 3, 2, 2],
    [2, 2],
    [3, 3],
  ],
  [
    [2, 2, 3, 2, 3],
    [5, 5],
    [1, 1],
    [2, 2],
  ],
];

const KINDS = { ordinary: 1, tiny: 2 ** -75 } as const;
const LEAVES = [1, 2, 16] as const;

interface TestCase {
  readonly name: string;
  readonly g: ConvolutionGeometry;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly w: Float32Array;
  /** One for the results, one for the image. */
  readonly biases: readonly [Float32Array, Float32Array];
  /** Results of the references: without and with bias and relu; the gradients for each leaf size. */
  readonly results: readonly Float32Array[];
  readonly images: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
}

function testCasesOf(scale: number): TestCase[] {
  const numbers = new Numbers(5);
  return CONVOLUTIONS.map((shape) => {
    const g = geometryOf(...shape);
    const x = numbers.floats(g.rows * g.height * g.width * g.inputs, scale);
    const y = numbers.floats(g.rows * g.outHeight * g.outWidth * g.outputs, scale);
    const w = numbers.floats((g.kernelHeight * g.kernelWidth * g.inputs * g.outputs) / g.groups, scale);
    const [b, c] = [numbers.floats(g.outputs, scale), numbers.floats(g.inputs, scale)];
    return {
      ...{ name: JSON.stringify(shape), g, x, y, w, biases: [b, c] },
      results: [referenceConvolution(x, w, undefined, g, false), referenceConvolution(x, w, b, g, true)],
      images: [
        referenceConvolutionTransposed(y, w, undefined, g, false),
        referenceConvolutionTransposed(y, w, c, g, true),
      ],
      gradients: LEAVES.map((leafRows) => referenceTreeConvolutionWeights(x, y, g, leafRows)),
    };
  });
}

describe.each(Object.entries(KINDS))(
  'convolutions of %s numbers equal the reference bit for bit',
  (_, scale) => {
    let testCases: TestCase[] | undefined;

    it.each(buildNames())('on %s', async (build) => {
      testCases ??= testCasesOf(scale);
      const bench = await Workbench.open(build);
      for (const { name, g, x, y, w, biases, results, images, gradients } of testCases) {
        bench.clear();
        const [atX, atY, atW] = [bench.put(x), bench.put(y), bench.put(w)];
        const out = { y: bench.reserve(y.length), x: bench.reserve(x.length), w: bench.reserve(w.length) };
        for (const activation of [0, 1]) {
          const [b, c] = activation ? biases.map((bias) => bench.put(bias)) : [0, 0];
          bench.run('convolution', { x: atX, w: atW, bias: b!, y: out.y, ...g, activation });
          expect(bitsOf(bench.floats(out.y, y.length)), name).toEqual(bitsOf(results[activation]!));
          bench.run('convolutionTransposed', { y: atY, w: atW, bias: c!, x: out.x, ...g, activation });
          expect(bitsOf(bench.floats(out.x, x.length)), `${name} transposed`).toEqual(
            bitsOf(images[activation]!),
          );
        }
        LEAVES.forEach((leafRows, i) => {
          bench.run('treeConvolutionWeights', { x: atX, dy: atY, dw: out.w, ...g, leafRows });
          expect(bitsOf(bench.floats(out.w, w.length)), `${name} weights, leaf ${leafRows}`).toEqual(
            bitsOf(gradients[i]!),
          );
        });
      }
    });
  },
);
