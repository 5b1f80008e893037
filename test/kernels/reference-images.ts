/** Convolutions and pooling in plain TypeScript and double precision, one pixel and tap at a time. */
import { type Call, type Expected, indices } from './expected.js';

/** Sums, and the sums of the terms' magnitudes. */
class Sums {
  readonly values: number[];
  readonly sizes: number[];

  constructor(count: number) {
    this.values = Array(count).fill(0);
    this.sizes = Array(count).fill(0);
  }

  add(at: number, term: number): void {
    this.values[at]! += term;
    this.sizes[at]! += Math.abs(term);
  }

  within(ulps: number): Expected {
    return { values: this.values, sizes: this.sizes, ulps };
  }
}

/** Calls `visit` for each sample, result and tap that lies inside of the image. */
function eachTap(
  a: Readonly<Record<string, number>>,
  [tapsY, tapsX]: readonly [number, number],
  visit: (x: number, y: number, tap: number) => void,
): void {
  for (const r of indices(a.rows!)) {
    for (const oy of indices(a.outHeight!)) {
      for (const ox of indices(a.outWidth!)) {
        for (const ky of indices(tapsY)) {
          for (const kx of indices(tapsX)) {
            const iy = oy * a.strideY! - a.padTop! + ky * (a.dilationY ?? 1);
            const ix = ox * a.strideX! - a.padLeft! + kx * (a.dilationX ?? 1);
            if (iy < 0 || iy >= a.height! || ix < 0 || ix >= a.width!) continue;
            const place = (r * a.height! + iy) * a.width! + ix;
            visit(place, (r * a.outHeight! + oy) * a.outWidth! + ox, ky * tapsX + kx);
          }
        }
      }
    }
  }
}

/** Calls `visit` with the indices of each product x * w that contributes to an element of y. */
function eachProduct(
  a: Readonly<Record<string, number>>,
  visit: (x: number, w: number, y: number) => void,
): void {
  const inGroup = a.inputs! / a.groups!;
  const outGroup = a.outputs! / a.groups!;
  eachTap(a, [a.kernelHeight!, a.kernelWidth!], (place, result, tap) => {
    for (const o of indices(a.outputs!)) {
      const group = Math.floor(o / outGroup);
      for (const i of indices(inGroup)) {
        const x = place * a.inputs! + group * inGroup + i;
        visit(x, (tap * inGroup + i) * a.outputs! + o, result * a.outputs! + o);
      }
    }
  });
}

function activated({ args, f32 }: Call, sums: Sums, ulps: number): Expected {
  if (args.bias !== 0) {
    const bias = f32('bias');
    for (const i of sums.values.keys()) sums.add(i, bias[i % bias.length]!);
  }
  const values = sums.values.map((y) => (args.activation === 1 ? Math.max(0, y) : y));
  return { ...sums.within(ulps), values };
}

/** Calls `visit` with the indices of each pixel and channel x of each window y. */
function eachPooled(a: Readonly<Record<string, number>>, visit: (x: number, y: number) => void): void {
  eachTap(a, [a.poolHeight!, a.poolWidth!], (place, result) => {
    for (const c of indices(a.channels!)) visit(place * a.channels! + c, result * a.channels! + c);
  });
}

const resultSize = ({ args }: Call, channels: number) =>
  args.rows! * args.outHeight! * args.outWidth! * channels;
const imageSize = ({ args }: Call, channels: number) => args.rows! * args.height! * args.width! * channels;

function windowSizes(call: Call): number[] {
  const counts = new Sums(resultSize(call, call.args.channels!));
  eachPooled(call.args, (_, y) => counts.add(y, 1));
  return counts.values;
}

export const REFERENCE_IMAGES = {
  convolution: (call: Call) => {
    const [x, w] = [call.f32('x'), call.f32('w')];
    const sums = new Sums(resultSize(call, call.args.outputs!));
    eachProduct(call.args, (i, j, k) => sums.add(k, x[i]! * w[j]!));
    return { y: activated(call, sums, 6 * call.args.inputs! + 2) };
  },
  convolutionTransposed: (call: Call) => {
    const [y, w] = [call.f32('y'), call.f32('w')];
    const sums = new Sums(imageSize(call, call.args.inputs!));
    eachProduct(call.args, (i, j, k) => sums.add(i, y[k]! * w[j]!));
    return { x: activated(call, sums, 6 * call.args.outputs! + 2) };
  },
  treeConvolutionWeights: (call: Call) => {
    const { inputs, outputs, groups, kernelHeight, kernelWidth } = call.args as Record<string, number>;
    const [x, dy] = [call.f32('x'), call.f32('dy')];
    const sums = new Sums((kernelHeight! * kernelWidth! * inputs! * outputs!) / groups!);
    eachProduct(call.args, (i, j, k) => sums.add(j, x[i]! * dy[k]!));
    return { dw: sums.within(call.args.rows! * 35) };
  },
  maxPoolForward: (call: Call) => {
    const x = call.f32('x');
    const values: number[] = Array(resultSize(call, call.args.channels!)).fill(Number.NEGATIVE_INFINITY);
    eachPooled(call.args, (i, k) => {
      values[k] = Math.max(values[k]!, x[i]!);
    });
    return { y: { values, sizes: values, ulps: 0 } };
  },
  maxPoolBackward: (call: Call) => {
    const [x, y, dy] = [call.f32('x'), call.f32('y'), call.f32('dy')];
    const sums = new Sums(imageSize(call, call.args.channels!));
    const taken = new Set<number>();
    eachPooled(call.args, (i, k) => {
      if (x[i] !== y[k] || taken.has(k)) return;
      taken.add(k);
      if (call.args.activation === 1 && !(x[i]! > 0)) return;
      sums.add(i, dy[k]!);
    });
    return { dx: sums.within(6) };
  },
  averagePoolForward: (call: Call) => {
    const x = call.f32('x');
    const sums = new Sums(resultSize(call, call.args.channels!));
    const sizes = windowSizes(call);
    eachPooled(call.args, (i, k) => sums.add(k, x[i]! / sizes[k]!));
    return { y: sums.within(8) };
  },
  averagePoolBackward: (call: Call) => {
    const dy = call.f32('dy');
    const sums = new Sums(imageSize(call, call.args.channels!));
    const sizes = windowSizes(call);
    eachPooled(call.args, (i, k) => sums.add(i, dy[k]! / sizes[k]!));
    return { dx: sums.within(8) };
  },
} as const;
