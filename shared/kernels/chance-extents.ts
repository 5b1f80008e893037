import type { KernelArguments } from './tape.js';

/** How far the offsets of the kernels that draw random numbers while training reach; the order of samples, see regions.ts. */
const CURSOR = { cursor: { orNone: 3 } };

type Dropout = Pick<KernelArguments<'dropoutForward'>, 'rows' | 'repeats' | 'elements'>;
const wordsOf = ({ rows, repeats, elements }: Dropout) => rows * repeats * elements;
const maskOf = ({ rows, elements }: Dropout) => rows * Math.ceil(elements / 32);

type Window = KernelArguments<'windowBackward'>;
const imageOf = ({ rows, height, width, channels }: Omit<Window, 'dy' | 'dx'>) =>
  rows * height * width * channels;
const seenOf = ({ rows, outHeight, outWidth, channels }: Omit<Window, 'dy' | 'dx'>) =>
  rows * outHeight * outWidth * channels;

export const CHANCE_EXTENTS = {
  dropoutForward: (a: KernelArguments<'dropoutForward'>) => ({
    ...{ x: wordsOf(a), y: wordsOf(a), mask: maskOf(a), ...CURSOR },
  }),
  dropoutBackward: (a: KernelArguments<'dropoutBackward'>) => ({
    ...{ mask: maskOf(a), dy: wordsOf(a), dx: wordsOf(a) },
  }),
  addNoise: ({ rows, elements }: KernelArguments<'addNoise'>) => ({
    ...{ x: rows * elements, y: rows * elements, ...CURSOR },
  }),
  windowForward: (a: KernelArguments<'windowForward'>) => ({ x: imageOf(a), y: seenOf(a), ...CURSOR }),
  windowBackward: (a: KernelArguments<'windowBackward'>) => ({ dy: seenOf(a), dx: imageOf(a), ...CURSOR }),
  maskBands: ({ rows, times, frequencies, channels }: KernelArguments<'maskBands'>) => {
    const words = rows * times * frequencies * channels;
    return { x: words, y: words, ...CURSOR };
  },
} as const;
