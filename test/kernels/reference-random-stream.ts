/* The kernels that draw random numbers for samples, in plain TypeScript and double precision, one number at a time. */
import { philox, type Words } from '../../shared/data/philox.js';
import { type Call, type Expected, exactly, indices } from './expected.js';

/** The words of one counter for the sample of a row. */
function draw({ args, bytesAt }: Call, row: number, counter: number): Words {
  const { cursor, first, key0, key1 } = args as Record<string, number>;
  const cell = bytesAt(cursor!, 12);
  const at = cell.getUint32(0, true) + 4 * (cell.getUint32(4, true) + first! + row);
  const words: Words = [counter, bytesAt(at, 4).getUint32(0, true), cell.getUint32(8, true), 0];
  philox(words, key0!, key1!);
  return words;
}

const below = (word: number, bound: number): number => Math.floor((word * bound) / 2 ** 32);

/** Sixteen random bits for each element of a row. */
function randomBits(call: Call, row: number, elements: number): number[] {
  const words = indices(Math.ceil(elements / 128) * 16).map((counter) => draw(call, row, counter));
  return indices(elements).map((e) => {
    const word = words[Math.floor(e / 128) * 16 + (e % 16)]![Math.floor(e / 32) % 4]!;
    return Math.floor(e / 16) % 2 === 0 ? word % 65536 : Math.floor(word / 65536);
  });
}

/** The index in the image of a pixel of the window; -1 outside of the image. */
function sourceOf(call: Call, row: number): (i: number, j: number) => number {
  const a = call.args as Record<string, number>;
  const [first, second, coins] = draw(call, row, 0);
  const top = a.top! + below(first, a.topSpan!);
  const left = a.left! + below(second, a.leftSpan!);
  const flipped = Math.floor(coins / 2 ** 30) & a.flips!;
  const place = (at: number, size: number): number => {
    if (a.fill === 0) return at >= 0 && at < size ? at : -1;
    const inPeriod = ((at % (2 * size)) + 2 * size) % (2 * size);
    return inPeriod < size ? inPeriod : 2 * size - 1 - inPeriod;
  };
  return (i, j) => {
    const y = place(top + (flipped & 2 ? a.outHeight! - 1 - i : i), a.height!);
    const x = place(left + (flipped & 1 ? a.outWidth! - 1 - j : j), a.width!);
    return y < 0 || x < 0 ? -1 : y * a.width! + x;
  };
}

/** For each element of all windows the index of the element of the images that it copies, or -1. */
function sources(call: Call): number[] {
  const { rows, height, width, outHeight, outWidth, channels } = call.args as Record<string, number>;
  return indices(rows!).flatMap((row) => {
    const source = sourceOf(call, row);
    return indices(outHeight! * outWidth!).flatMap((at) => {
      const pixel = source(Math.floor(at / outWidth!), at % outWidth!);
      const first = (row * height! * width! + pixel) * channels!;
      return indices(channels!).map((c) => (pixel < 0 ? -1 : first + c));
    });
  });
}

export const REFERENCE_RANDOM_STREAM = {
  dropoutForward: (call: Call) => {
    const { rows, repeats, elements, dropped, scale } = call.args as Record<string, number>;
    const x = call.f32('x');
    const masks = indices(rows!).map((row) => {
      const bits = randomBits(call, row, Math.ceil(elements! / 32) * 32);
      return bits.map((bits16) => bits16 >= dropped!);
    });
    const y = Array.from(x, (value, at) => {
      const row = Math.floor(at / (repeats! * elements!));
      return masks[row]![at % elements!]! ? Math.fround(value * Math.fround(scale!)) : 0;
    });
    const words = masks.flatMap((mask) =>
      indices(mask.length / 32).map((w) => {
        return mask.slice(32 * w, 32 * w + 32).reduce((word, kept, i) => word | (kept ? 1 << i : 0), 0);
      }),
    );
    return { y: exactly(y), mask: exactly(words, 'i32') };
  },
  dropoutBackward: ({ args, f32, i32 }: Call) => {
    const { repeats, elements, scale } = args as Record<string, number>;
    const mask = i32('mask');
    const dx = Array.from(f32('dy'), (value, at) => {
      const row = Math.floor(at / (repeats! * elements!));
      const e = at % elements!;
      const word = mask[row * Math.ceil(elements! / 32) + Math.floor(e / 32)]!;
      return (word >>> (e % 32)) & 1 ? Math.fround(value * Math.fround(scale!)) : 0;
    });
    return { dx: exactly(dx) };
  },
  addNoise: (call: Call) => {
    const { elements, deviation } = call.args as Record<string, number>;
    const x = call.f32('x');
    const values = Array.from(x, (value, at) => {
      const e = at % elements!;
      const words = draw(call, Math.floor(at / elements!), Math.floor(e / 64) * 16 + (e % 16));
      const [first, second] = e % 64 < 32 ? [words[0], words[1]] : [words[2], words[3]];
      const radius = Math.sqrt(-2 * Math.log(((first >>> 8) + 1) / 2 ** 24));
      const angle = (2 * Math.PI * (second >>> 8)) / 2 ** 24;
      const normal = radius * (e % 32 < 16 ? Math.cos(angle) : Math.sin(angle));
      return value + deviation! * normal;
    });
    return { y: { values, sizes: Array.from(x, (value) => Math.abs(value) + 3), ulps: 2 } };
  },
  windowForward: (call: Call) => {
    const x = call.f32('x');
    return { y: exactly(sources(call).map((at) => (at < 0 ? 0 : x[at]!))) };
  },
  windowBackward: (call: Call) => {
    const dy = call.f32('dy');
    const { rows, height, width, channels } = call.args as Record<string, number>;
    const values: number[] = Array(rows! * height! * width! * channels!).fill(0);
    const sizes = [...values];
    sources(call).forEach((at, i) => {
      if (at < 0) return;
      values[at]! += dy[i]!;
      sizes[at]! += Math.abs(dy[i]!);
    });
    return { dx: { values, sizes, ulps: 12 } };
  },
  maskBands: (call: Call) => {
    const a = call.args as Record<string, number>;
    const closedOf = (row: number): ((t: number, f: number) => boolean) => {
      const words = indices(16).map((counter) => draw(call, row, counter));
      const bands = (masks: number, most: number, size: number, word: 0 | 2): ((at: number) => boolean) => {
        const drawn = words.slice(0, masks).map((of) => {
          const width = below(of[word], most + 1);
          const from = below(of[(word + 1) as 1 | 3], size - width + 1);
          return [from, from + width] as const;
        });
        return (at) => drawn.some(([from, to]) => at >= from && at < to);
      };
      const time = bands(a.timeMasks!, a.timeWidth!, a.times!, 0);
      const frequency = bands(a.frequencyMasks!, a.frequencyWidth!, a.frequencies!, 2);
      return (t, f) => time(t) || frequency(f);
    };
    const closed = indices(a.rows!).map(closedOf);
    const values = Array.from(call.f32('x'), (value, at) => {
      const place = Math.floor(at / a.channels!);
      const [f, step] = [place % a.frequencies!, Math.floor(place / a.frequencies!)];
      return closed[Math.floor(step / a.times!)]!(step % a.times!, f) ? 0 : value;
    });
    return { y: exactly(values) };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
