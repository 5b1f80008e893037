/** Convolutions and pooling as the C files define them: plain loops over every result and every tap. */
import { fma } from './exact-fma.js';
import { treeOf } from './reference-products.js';

/** The arguments of a convolution or a pool except the tensors, with the names of the kernels. */
export interface Geometry {
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padTop: number;
  readonly padLeft: number;
}

export interface ConvolutionGeometry extends Geometry {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly groups: number;
}

/** One product of a convolution: indices into x, w and y. */
interface Term {
  readonly x: number;
  readonly w: number;
  readonly y: number;
}

/** All products of a group in the order (sample, output row, output column, tap row, tap column, input, output). */
function* terms(g: ConvolutionGeometry): Generator<Term> {
  const [ins, outs] = [g.inputs / g.groups, g.outputs / g.groups];
  for (let r = 0; r < g.rows; r++)
    for (let oy = 0; oy < g.outHeight; oy++)
      for (let ox = 0; ox < g.outWidth; ox++)
        for (let ky = 0; ky < g.kernelHeight; ky++)
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const iy = oy * g.strideY - g.padTop + ky * g.dilationY;
            const ix = ox * g.strideX - g.padLeft + kx * g.dilationX;
            if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
            for (let i = 0; i < g.inputs; i++)
              for (let o = 0; o < outs; o++) {
                const output = Math.floor(i / ins) * outs + o;
                yield {
                  x: ((r * g.height + iy) * g.width + ix) * g.inputs + i,
                  w: ((ky * g.kernelWidth + kx) * ins + (i % ins)) * g.outputs + output,
                  y: ((r * g.outHeight + oy) * g.outWidth + ox) * g.outputs + output,
                };
              }
          }
}

/** + bias, then relu. */
function finish(sums: Float32Array, bias: Float32Array | undefined, relu: boolean): Float32Array {
  return sums.map((sum, i) => {
    const z = bias ? Math.fround(sum + bias[i % bias.length]!) : sum;
    return relu && z < 0 ? 0 : z;
  });
}

export function referenceConvolution(
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array | undefined,
  g: ConvolutionGeometry,
  relu: boolean,
): Float32Array {
  const y = new Float32Array(g.rows * g.outHeight * g.outWidth * g.outputs);
  for (const at of terms(g)) y[at.y] = fma(x[at.x]!, w[at.w]!, y[at.y]!);
  return finish(y, bias, relu);
}

/** The products of every element of x are added in the order of the y that they read. */
export function referenceConvolutionTransposed(
  y: Float32Array,
  w: Float32Array,
  bias: Float32Array | undefined,
  g: ConvolutionGeometry,
  relu: boolean,
): Float32Array {
  const x = new Float32Array(g.rows * g.height * g.width * g.inputs);
  for (const at of terms(g)) x[at.x] = fma(y[at.y]!, w[at.w]!, x[at.x]!);
  return finish(x, bias, relu);
}

export function referenceTreeConvolutionWeights(
  x: Float32Array,
  dy: Float32Array,
  g: ConvolutionGeometry,
  leafRows: number,
): Float32Array {
  const size = g.kernelHeight * g.kernelWidth * (g.inputs / g.groups) * g.outputs;
  const [xRow, yRow] = [g.height * g.width * g.inputs, g.outHeight * g.outWidth * g.outputs];
  const leaves: Float32Array[] = [];
  for (let first = 0; first < g.rows; first += leafRows) {
    const sums = new Float32Array(size);
    const rows = Math.min(leafRows, g.rows - first);
    const [xs, dys] = [x.subarray(first * xRow), dy.subarray(first * yRow)];
    for (const at of terms({ ...g, rows })) sums[at.w] = fma(xs[at.x]!, dys[at.y]!, sums[at.w]!);
    leaves.push(sums);
  }
  return Float32Array.from({ length: size }, (_, i) => treeOf(leaves.map((leaf) => leaf[i]!)));
}

export interface PoolGeometry extends Geometry {
  readonly channels: number;
  readonly poolHeight: number;
  readonly poolWidth: number;
}

/** Every result with the indices of the inputs in its window, in ascending order. */
function* windows(g: PoolGeometry): Generator<{ readonly y: number; readonly xs: readonly number[] }> {
  for (let r = 0; r < g.rows; r++)
    for (let oy = 0; oy < g.outHeight; oy++)
      for (let ox = 0; ox < g.outWidth; ox++)
        for (let c = 0; c < g.channels; c++) {
          const xs: number[] = [];
          for (let ky = 0; ky < g.poolHeight; ky++)
            for (let kx = 0; kx < g.poolWidth; kx++) {
              const [iy, ix] = [oy * g.strideY - g.padTop + ky, ox * g.strideX - g.padLeft + kx];
              if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
              xs.push(((r * g.height + iy) * g.width + ix) * g.channels + c);
            }
          yield { y: ((r * g.outHeight + oy) * g.outWidth + ox) * g.channels + c, xs };
        }
}

const resultsOf = (g: PoolGeometry) => new Float32Array(g.rows * g.outHeight * g.outWidth * g.channels);
const imageOf = (g: PoolGeometry) => new Float32Array(g.rows * g.height * g.width * g.channels);

export function referenceMaxPool(x: Float32Array, g: PoolGeometry): Float32Array {
  const y = resultsOf(g);
  for (const window of windows(g)) {
    y[window.y] = window.xs.map((at) => x[at]!).reduce((a, b) => (b > a || Number.isNaN(b) ? b : a));
  }
  return y;
}

export function referenceMaxPoolBackward(
  x: Float32Array,
  y: Float32Array,
  dy: Float32Array,
  g: PoolGeometry,
  activation: 0 | 1,
): Float32Array {
  const dx = imageOf(g);
  for (const window of windows(g)) {
    const chosen = window.xs.find((at) => x[at] === y[window.y]);
    if (chosen === undefined || (activation === 1 && !(x[chosen]! > 0))) continue;
    dx[chosen] = Math.fround(dx[chosen]! + dy[window.y]!);
  }
  return dx;
}

export function referenceAveragePool(x: Float32Array, g: PoolGeometry): Float32Array {
  const y = resultsOf(g);
  for (const window of windows(g)) {
    const sum = window.xs.reduce((total, at) => Math.fround(total + x[at]!), 0);
    y[window.y] = Math.fround(sum / window.xs.length);
  }
  return y;
}

export function referenceAveragePoolBackward(dy: Float32Array, g: PoolGeometry): Float32Array {
  const dx = imageOf(g);
  for (const window of windows(g)) {
    const share = Math.fround(dy[window.y]! / window.xs.length);
    for (const at of window.xs) dx[at] = Math.fround(dx[at]! + share);
  }
  return dx;
}
