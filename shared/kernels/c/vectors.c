/** Sums, products and copies of whole vectors. In place allowed. */
#include "kernel.h"
#include "lanes.h"

/** out = a + b: one addition of the canonical tree for each element. */
KERNEL(addVectors, PTR out, PTR a, PTR b, I32 n) {
  const f32 *x = a, *y = b;
  f32 *z = out;
  BLOCKS(n, block_store(z + at, v_add(block_load(x + at, lanes), block_load(y + at, lanes)), lanes););
}

/** out = a - b */
KERNEL(subtractVectors, PTR out, PTR a, PTR b, I32 n) {
  const f32 *x = a, *y = b;
  f32 *z = out;
  BLOCKS(n, block_store(z + at, v_sub(block_load(x + at, lanes), block_load(y + at, lanes)), lanes););
}

/** out = a * b */
KERNEL(multiplyVectors, PTR out, PTR a, PTR b, I32 n) {
  const f32 *x = a, *y = b;
  f32 *z = out;
  BLOCKS(n, block_store(z + at, v_mul(block_load(x + at, lanes), block_load(y + at, lanes)), lanes););
}

/** out = a, the same bits. */
KERNEL(copyVector, PTR out, PTR a, I32 n) {
  const f32 *x = a;
  f32 *z = out;
  BLOCKS(n, block_store(z + at, block_load(x + at, lanes), lanes););
}

/** out[i] = value */
KERNEL(fill, PTR out, I32 n, F32 value) {
  f32 *z = out;
  const v16 all = v_set(value);
  BLOCKS(n, block_store(z + at, all, lanes););
}

/** out = a * factor */
KERNEL(scaleVector, PTR out, PTR a, I32 n, F32 factor) {
  const f32 *x = a;
  f32 *z = out;
  const v16 all = v_set(factor);
  BLOCKS(n, block_store(z + at, v_mul(block_load(x + at, lanes), all), lanes););
}

/** average = fma(share, value - average, average): updates a moving average with a new value. */
KERNEL(moveAverage, PTR average, PTR value, I32 n, F32 share) {
  const f32 *x = value;
  f32 *z = average;
  const v16 part = v_set(share);
  BLOCKS(n, const v16 old = block_load(z + at, lanes);
         block_store(z + at, v_fma(part, v_sub(block_load(x + at, lanes), old), old), lanes););
}

/** out = fma(factor, a, summand) */
KERNEL(affineVector, PTR out, PTR a, I32 n, F32 factor, F32 summand) {
  const f32 *x = a;
  f32 *z = out;
  const v16 slope = v_set(factor), shift = v_set(summand);
  BLOCKS(n, block_store(z + at, v_fma(slope, block_load(x + at, lanes), shift), lanes););
}
