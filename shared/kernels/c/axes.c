/** Kernels that rearrange elements: concatenation, permuted axes, repetition and its gradient. */
#include "kernel.h"
#include "lanes.h"

/** out[outPitch * r + i] = a[aPitch * r + i] for i < width; the elements between the rows of `out` are not changed. */
KERNEL(copyRows, PTR a, PTR out, I32 rows, I32 width, I32 aPitch, I32 outPitch) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *from = (const f32 *)a + (isize)r * aPitch;
    f32 *to = (f32 *)out + (isize)r * outPitch;
    BLOCKS(width, part_store(to + at, part_load(from + at, lanes), lanes););
  }
}

/** Transposes a matrix: to[u * to_pitch + v] = from[v * pitch + u] for v < rows, u < cols. */
INLINE void transpose(const f32 *from, isize pitch, f32 *to, isize to_pitch, i32 rows, i32 cols) {
  for (i32 v = 0; v < rows; v += LANES) {
    const i32 height = rows - v < LANES ? rows - v : LANES;
    for (i32 u = 0; u < cols; u += LANES) {
      const i32 width = cols - u < LANES ? cols - u : LANES;
      vec tile[LANES];
      for (i32 k = 0; k < LANES; k++)
        tile[k] = k < height ? x_load_n(from + (v + k) * pitch + u, width) : x_zero();
      x_transpose(tile);
      for (i32 k = 0; k < width; k++) x_store_n(to + (u + k) * to_pitch + v, tile[k], height);
    }
  }
}

/**
 * out[i0, i1, i2, i3, i4] = a[i0 * step0 + ... + i4 * step4], `out` being dense. One of the steps is 1. If it is the step of
 * the last axis, runs are copied; otherwise matrices of its axis and the last one are transposed.
 */
KERNEL(permuteAxes, PTR a, PTR out, I32 size0, I32 size1, I32 size2, I32 size3, I32 size4, I32 step0, I32 step1,
       I32 step2, I32 step3, I32 step4) {
  i32 size[4] = {size0, size1, size2, size3}, step[4] = {step0, step1, step2, step3};
  isize pitch[4];
  isize inner = size4;
  for (i32 k = 3; k >= 0; k--) {
    pitch[k] = inner;
    inner *= size[k];
  }
  i32 run = 0;
  while (run < 3 && !(step[run] == 1 && size[run] > 1)) run++;
  const i32 run_size = size[run];
  // The transposition loops over the axis of the runs.
  if (step4 != 1) size[run] = 1;
  for (i32 i0 = 0; i0 < size[0]; i0++)
    for (i32 i1 = 0; i1 < size[1]; i1++)
      for (i32 i2 = 0; i2 < size[2]; i2++)
        for (i32 i3 = 0; i3 < size[3]; i3++) {
          const f32 *from = (const f32 *)a + (isize)i0 * step[0] + (isize)i1 * step[1] + (isize)i2 * step[2] +
                            (isize)i3 * step[3];
          f32 *to = (f32 *)out + i0 * pitch[0] + i1 * pitch[1] + i2 * pitch[2] + i3 * pitch[3];
          if (step4 == 1)
            BLOCKS(size4, part_store(to + at, part_load(from + at, lanes), lanes););
          else
            transpose(from, step4, to, pitch[run], size4, run_size);
        }
}

/** Rows r * times to (r + 1) * times - 1 of `out` are copies of row r of `a`. */
KERNEL(repeatRows, PTR a, PTR out, I32 rows, I32 times, I32 width) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *from = (const f32 *)a + (isize)r * width;
    f32 *to = (f32 *)out + (isize)r * times * width;
    for (i32 t = 0; t < times; t++, to += width)
      BLOCKS(width, part_store(to + at, part_load(from + at, lanes), lanes););
  }
}

/** Row r of `out` is the sum of rows r * times to (r + 1) * times - 1 of `a`: one chain in their order, from +0. */
KERNEL(sumRepeats, PTR a, PTR out, I32 rows, I32 times, I32 width) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *from = (const f32 *)a + (isize)r * times * width;
    f32 *to = (f32 *)out + (isize)r * width;
    BLOCKS(width, v16 sum = v_zero();
           for (i32 t = 0; t < times; t++) sum = v_add(sum, part_load(from + (isize)t * width + at, lanes));
           part_store(to + at, sum, lanes););
  }
}
