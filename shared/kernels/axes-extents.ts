import type { KernelArguments } from './tape.js';

/** How far the offsets of the kernels that put elements in other places reach. */
type Repeats = Pick<KernelArguments<'repeatRows'>, 'rows' | 'times' | 'width'>;

export const AXES_EXTENTS = {
  copyRows: ({ rows, width, aPitch, outPitch }: KernelArguments<'copyRows'>) => ({
    a: (rows - 1) * aPitch + width,
    out: (rows - 1) * outPitch + width,
  }),
  permuteAxes: (a: KernelArguments<'permuteAxes'>) => {
    const words = a.size0 * a.size1 * a.size2 * a.size3 * a.size4;
    return { a: words, out: words };
  },
  repeatRows: ({ rows, times, width }: Repeats) => ({ a: rows * width, out: rows * times * width }),
  sumRepeats: ({ rows, times, width }: Repeats) => ({ a: rows * times * width, out: rows * width }),
  orthonormalRows: ({ count, length }: KernelArguments<'orthonormalRows'>) => ({ a: count * length }),
} as const;
