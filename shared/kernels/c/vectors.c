/** Sums, products and copies of whole vectors. Outputs may be inputs (in place). */
#include "kernel.h"
#include "lanes.h"

/** out = a + b: one addition of the canonical tree per element. */
KERNEL(addVectors, PTR out, PTR a, PTR b, I32 n) {
  const f32 *x = a, *y = b;
  f32 *z = out;
  BLOCKS(n, block_store(z + at, v_add(block_load(x + at, lanes), block_load(y + at, lanes)), lanes););
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
