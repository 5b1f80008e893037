/**
 * Batch normalisation: every channel is normalised to mean 0 and variance 1 over a group of samples, then scaled and shifted.
 *
 *     h = (x - mean) * inverse      mean = sum x / n      variance = sum (x - mean)^2 / n
 *     y = fma(h, gamma, beta)       inverse = 1 / sqrt(variance + epsilon)
 *
 * A group is `group` samples (the last group of a call may have fewer), a sample is `positions` vectors of `channels`, and n
 * is the number of vectors of a group. One thread computes a whole group, so its sums need no tree: 64 vectors are one part,
 * summed as one chain in their order from +0, and the parts are summed in the same way. Sums over the batch follow the
 * canonical tree, as in tree.c.
 *
 * statistics: the row of the first sample of a group starts with {mean[channels], inverse[channels], variance[channels]};
 * the rows of its other samples are not used.
 */
#include "kernel.h"
#include "lanes.h"

/** Vectors of channels that are processed at once. */
#define CHANNEL_VECS 4
/** Vectors of one part of a sum. */
#define PART_VECTORS 64
/** Floats of a row of statistics for each channel. */
#define STATISTICS 3

/** Runs f(vecs, lanes, ..., c) for all channels: for 64, 32, 16 or fewer channels from c on. */
#define EACH_CHANNELS(channels, f, ...)                                               \
  do {                                                                                \
    i32 c = 0;                                                                        \
    for (; (channels) - c >= 64; c += 64) f(4, 16, __VA_ARGS__, c);                   \
    if ((channels) - c >= 32) {                                                       \
      f(2, 16, __VA_ARGS__, c);                                                       \
      c += 32;                                                                        \
    }                                                                                 \
    if ((channels) - c >= 16) {                                                       \
      f(1, 16, __VA_ARGS__, c);                                                       \
      c += 16;                                                                        \
    }                                                                                 \
    if (c < (channels)) f(1, (channels) - c, __VA_ARGS__, c);                         \
  } while (0)

/**
 * Runs the statements for each vector i from 0 to n - 1 and each of its vectors of channels j. They add to part[j], which is
 * added to sum[j] after PART_VECTORS vectors.
 */
#define SUM_IN_PARTS(n, vecs, sum, ...)                                               \
  do {                                                                                \
    for (i32 j = 0; j < (vecs); j++) sum[j] = v_zero();                               \
    for (i32 i0 = 0; i0 < (n); i0 += PART_VECTORS) {                                  \
      v16 part[CHANNEL_VECS];                                                         \
      const i32 end = (n) - i0 < PART_VECTORS ? (n) : i0 + PART_VECTORS;              \
      for (i32 j = 0; j < (vecs); j++) part[j] = v_zero();                            \
      for (i32 i = i0; i < end; i++)                                                  \
        for (i32 j = 0; j < (vecs); j++) {                                            \
          const isize at = (isize)i * pitch + j * 16;                                 \
          __VA_ARGS__                                                                 \
        }                                                                             \
      for (i32 j = 0; j < (vecs); j++) sum[j] = v_add(sum[j], part[j]);               \
    }                                                                                 \
  } while (0)

/** The arguments for one group. */
typedef struct {
  const f32 *x, *gamma, *beta;
  f32 *y, *statistics;
  i32 n, channels;
  f32 epsilon;
} Group;

INLINE void normalise_channels(const i32 vecs, i32 lanes, const Group *g, i32 c) {
  const f32 *in = g->x + c;
  f32 *out = g->y + c, *mean_at = g->statistics + c;
  const isize pitch = g->channels;
  const v16 count = v_set((f32)g->n);
  v16 mean[CHANNEL_VECS], inverse[CHANNEL_VECS], sum[CHANNEL_VECS], scale[CHANNEL_VECS], shift[CHANNEL_VECS];
  SUM_IN_PARTS(g->n, vecs, sum, part[j] = v_add(part[j], block_load(in + at, lanes)););
  for (i32 j = 0; j < vecs; j++) mean[j] = v_div(sum[j], count);
  SUM_IN_PARTS(g->n, vecs, sum, const v16 d = v_sub(block_load(in + at, lanes), mean[j]); part[j] = v_fma(d, d, part[j]););
  for (i32 j = 0; j < vecs; j++) {
    const v16 variance = v_div(sum[j], count);
    inverse[j] = v_div(v_set(1), v_sqrt(v_add(variance, v_set(g->epsilon))));
    block_store(mean_at + j * 16, mean[j], lanes);
    block_store(mean_at + pitch + j * 16, inverse[j], lanes);
    block_store(mean_at + 2 * pitch + j * 16, variance, lanes);
    scale[j] = block_load(g->gamma + c + j * 16, lanes);
    shift[j] = block_load(g->beta + c + j * 16, lanes);
  }
  for (i32 i = 0; i < g->n; i++)
    for (i32 j = 0; j < vecs; j++) {
      const isize at = (isize)i * pitch + j * 16;
      const v16 h = v_mul(v_sub(block_load(in + at, lanes), mean[j]), inverse[j]);
      block_store(out + at, v_fma(h, scale[j], shift[j]), lanes);
    }
}

/** For training: computes and keeps the statistics of each group. In place allowed. */
KERNEL(batchNormalizationForward, PTR x, PTR gamma, PTR beta, PTR y, PTR statistics, I32 rows, I32 positions,
       I32 channels, I32 group, F32 epsilon) {
  for (i32 r = 0; r < rows; r += group) {
    const isize at = (isize)r * positions * channels;
    f32 *kept = (f32 *)statistics + (isize)r * STATISTICS * channels;
    const i32 samples = rows - r < group ? rows - r : group;
    const Group g = {(const f32 *)x + at, gamma, beta, (f32 *)y + at, kept, samples * positions, channels, epsilon};
    EACH_CHANNELS(channels, normalise_channels, &g);
  }
}

/** For inference: with given statistics, the averages of those in training. In place allowed. */
KERNEL(batchNormalizationInference, PTR x, PTR gamma, PTR beta, PTR mean, PTR variance, PTR y, I32 rows, I32 channels,
       F32 epsilon) {
  const f32 *in = x, *scale = gamma, *shift = beta, *middle = mean, *spread = variance;
  f32 *out = y;
  for (i32 c = 0; c < channels; c += 16) {
    const i32 lanes = channels - c < 16 ? channels - c : 16;
    const v16 root = v_sqrt(v_add(block_load(spread + c, lanes), v_set(epsilon)));
    const v16 factor = v_div(v_set(1), root), center = block_load(middle + c, lanes);
    const v16 g = block_load(scale + c, lanes), b = block_load(shift + c, lanes);
    for (i32 r = 0; r < rows; r++) {
      const isize at = (isize)r * channels + c;
      block_store(out + at, v_fma(v_mul(v_sub(block_load(in + at, lanes), center), factor), g, b), lanes);
    }
  }
}

/** The error terms of one group. */
typedef struct {
  const f32 *x, *statistics, *gamma, *dy;
  f32 *dx;
  i32 n, channels;
} GroupErrors;

INLINE void error_channels(const i32 vecs, i32 lanes, const GroupErrors *g, i32 c) {
  const f32 *in = g->x + c, *slope = g->dy + c, *mean_at = g->statistics + c;
  f32 *out = g->dx + c;
  const isize pitch = g->channels;
  const v16 count = v_set((f32)g->n);
  v16 mean[CHANNEL_VECS], inverse[CHANNEL_VECS], sum[CHANNEL_VECS], share[CHANNEL_VECS], factor[CHANNEL_VECS];
  for (i32 j = 0; j < vecs; j++) {
    mean[j] = block_load(mean_at + j * 16, lanes);
    inverse[j] = block_load(mean_at + pitch + j * 16, lanes);
    factor[j] = v_mul(inverse[j], block_load(g->gamma + c + j * 16, lanes));
  }
  SUM_IN_PARTS(g->n, vecs, share, const v16 h = v_mul(v_sub(block_load(in + at, lanes), mean[j]), inverse[j]);
               part[j] = v_fma(block_load(slope + at, lanes), h, part[j]););
  SUM_IN_PARTS(g->n, vecs, sum, part[j] = v_add(part[j], block_load(slope + at, lanes)););
  for (i32 j = 0; j < vecs; j++) {
    sum[j] = v_div(sum[j], count);
    share[j] = v_neg(v_div(share[j], count));
  }
  for (i32 i = 0; i < g->n; i++)
    for (i32 j = 0; j < vecs; j++) {
      const isize at = (isize)i * pitch + j * 16;
      const v16 h = v_mul(v_sub(block_load(in + at, lanes), mean[j]), inverse[j]);
      const v16 d = v_sub(block_load(slope + at, lanes), sum[j]);
      block_store(out + at, v_mul(v_fma(h, share[j], d), factor[j]), lanes);
    }
}

/** dx = inverse gamma (dy - sum dy / n - h (sum of fma(dy, h, .) / n)), the last product fused. dx may be dy. */
KERNEL(batchNormalizationBackward, PTR x, PTR statistics, PTR gamma, PTR dy, PTR dx, I32 rows, I32 positions,
       I32 channels, I32 group) {
  for (i32 r = 0; r < rows; r += group) {
    const isize at = (isize)r * positions * channels;
    const f32 *kept = (const f32 *)statistics + (isize)r * STATISTICS * channels;
    const i32 samples = rows - r < group ? rows - r : group;
    const GroupErrors g = {(const f32 *)x + at, kept, gamma, (const f32 *)dy + at, (f32 *)dx + at, samples * positions, channels};
    EACH_CHANNELS(channels, error_channels, &g);
  }
}

/** Rows of a subtree of the canonical sum; the first row is sample `start` of its group. */
typedef struct {
  const f32 *x, *statistics, *dy;
  f32 *out;
  i32 rows, positions, channels, group, start, leaf_rows;
  f32 scale;
} GroupRows;

/** The tree over leaves, as in treeSumRows, of what `row` adds to acc[j] for row r with the statistics `of` of its group. */
#define SUM_BY_TREE(g, vecs, lanes, c, row, pending)                                                  \
  do {                                                                                                \
    v16 acc[CHANNEL_VECS];                                                                            \
    i32 r = 0;                                                                                        \
    for (u32 leaf = 0;; leaf++) {                                                                     \
      const i32 end = (g)->rows - r < (g)->leaf_rows ? (g)->rows : r + (g)->leaf_rows;                \
      for (i32 j = 0; j < (vecs); j++) acc[j] = v_zero();                                             \
      for (; r < end; r++) {                                                                          \
        const isize first = (isize)((r + (g)->start) / (g)->group) * (g)->group;                      \
        row(vecs, lanes, g, r, (g)->statistics + first * STATISTICS * (g)->channels + (c), c, acc);   \
      }                                                                                               \
      u32 level = 0;                                                                                  \
      for (; r == (g)->rows ? leaf >> level != 0 : leaf >> level & 1; level++)                        \
        if (leaf >> level & 1)                                                                        \
          for (i32 j = 0; j < (vecs); j++)                                                            \
            acc[j] = v_add(v_load(pending + (level * CHANNEL_VECS + j) * 16), acc[j]);                \
      if (r == (g)->rows) break;                                                                      \
      for (i32 j = 0; j < (vecs); j++) v_store(pending + (level * CHANNEL_VECS + j) * 16, acc[j]);    \
    }                                                                                                 \
    for (i32 j = 0; j < (vecs); j++) block_store((g)->out + (c) + j * 16, acc[j], lanes);              \
  } while (0)

INLINE void scale_row(const i32 vecs, i32 lanes, const GroupRows *g, i32 r, const f32 *of, i32 c, v16 *acc) {
  const isize pitch = g->channels;
  const isize from = (isize)r * g->positions * pitch + c;
  for (i32 p = 0; p < g->positions; p++)
    for (i32 j = 0; j < vecs; j++) {
      const isize at = from + p * pitch + j * 16;
      const v16 mean = block_load(of + j * 16, lanes), inverse = block_load(of + pitch + j * 16, lanes);
      const v16 h = v_mul(v_sub(block_load(g->x + at, lanes), mean), inverse);
      acc[j] = v_fma(block_load(g->dy + at, lanes), h, acc[j]);
    }
}
INLINE void scale_channels(const i32 vecs, i32 lanes, const GroupRows *g, f32 *pending, i32 c) {
  SUM_BY_TREE(g, vecs, lanes, c, scale_row, pending);
}

/**
 * Gradient of gamma: out[c] = tree over leaves of the sum of fma(dy, h, .) over their vectors. `start` is the position of
 * the first row in its group, and `statistics` belongs to this group and the following ones.
 */
KERNEL(treeBatchNormalizationScale, PTR x, PTR statistics, PTR dy, PTR out, I32 rows, I32 positions, I32 channels,
       I32 group, I32 start, I32 leafRows) {
  const GroupRows g = {x, statistics, dy, out, rows, positions, channels, group, start, leafRows, 0};
  f32 *pending = (f32 *)thread->workspace;
  EACH_CHANNELS(channels, scale_channels, &g, pending);
}

INLINE void statistics_row(const i32 vecs, i32 lanes, const GroupRows *g, __attribute__((unused)) i32 r, const f32 *of,
                           __attribute__((unused)) i32 c, v16 *acc) {
  for (i32 j = 0; j < vecs; j++) acc[j] = v_fma(block_load(of + j * 16, lanes), v_set(g->scale), acc[j]);
}
INLINE void statistics_channels(const i32 vecs, i32 lanes, const GroupRows *g, f32 *pending, i32 c) {
  SUM_BY_TREE(g, vecs, lanes, c, statistics_row, pending);
}

/**
 * A statistic averaged over the batch: out[c] = tree over leaves of the sum of fma(statistic of the group of the sample,
 * scale, .), where `statistics` points to that statistic for the group of the first row; see treeBatchNormalizationScale.
 */
KERNEL(treeGroupStatistics, PTR statistics, PTR out, I32 rows, I32 channels, I32 group, I32 start, I32 leafRows,
       F32 scale) {
  const GroupRows g = {0, statistics, 0, out, rows, 1, channels, group, start, leafRows, scale};
  f32 *pending = (f32 *)thread->workspace;
  EACH_CHANNELS(channels, statistics_channels, &g, pending);
}
