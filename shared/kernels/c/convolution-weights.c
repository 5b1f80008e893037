/**
 * Weight gradients of convolutions, in the canonical order: inside a leaf ONE chain over (sample, output row, output
 * column), ascending from +0; leaves are combined by the aligned tree, see tree.c.
 *
 *   dw[ky, kx, i, o] = tree over leaves of the sum over (r, oy, ox) of x[r, iy, ix, i] dy[r, oy, ox, o]
 *
 * where (iy, ix) is the position that tap (ky, kx) of result (oy, ox) reads; a tap outside of the image is skipped. The
 * inner index is long and there are many tiles, so results are processed in strips: a strip stays in the cache while all
 * tiles add its products. Between strips the chain of a tile is stored in the workspace, next to those of its subtrees
 * whose right siblings are not complete yet.
 */
#include "convolution-weights.h"
#include "depthwise.h"
#include "pack.h"

/** Bytes of the workspace for a strip of dy, and the bytes that a strip uses unless a single row is longer. */
#define STRIP_BYTES (128 * 1024)
#define STRIP_USUAL_BYTES (32 * 1024)
#define STRIP_FLOATS (STRIP_BYTES / 4)
#define STRIP_PIXELS (STRIP_FLOATS / TILE_COLS)
#define NODES ((WORKSPACE_BYTES - STRIP_BYTES) / (4 * NODE_FLOATS))
_Static_assert(NODES >= 33, "a tile, its chain and all levels of its tree fit the workspace");

/** Up to this number of channels a tile has rows of several taps, so that its registers are full. */
#define MIXED_CHANNELS (TILE_ROWS / 2)

/** Tile number `index`: tiles are numbered by panel of columns, then by tap. */
static WeightTile weight_tile_at(const WeightSum *w, i32 index, i32 tiles_in_panel) {
  i32 channels = w->in_channels / w->groups, outputs = w->out_channels / w->groups;
  i32 panels = part_count(outputs, TILE_COLS), panel = index / tiles_in_panel, in_panel = index % tiles_in_panel;
  i32 group = panel / panels, col = panel % panels * TILE_COLS;
  i32 taps = w->y.taps * w->x_axis.taps;
  i32 length = w->is_mixed ? taps * channels : channels, parts = part_count(length, TILE_ROWS);
  i32 m = part_start(length, parts, in_panel % parts), end = part_start(length, parts, in_panel % parts + 1);
  const WeightTile tile = {in_panel / parts * channels + m, end - m, group, group * outputs + col,
                           smaller(TILE_COLS, outputs - col)};
  return tile;
}

/** Adds a strip to the tiles from..to-1. Their accumulators are contiguous in the workspace, `nodes` nodes each. */
static void add_strip(const WeightSum *w, Strip strip, Accumulator accumulator, i32 from, i32 to, i32 tiles_in_panel,
                      i32 nodes, f32 *workspace) {
  f32 *panel = workspace, *accumulators = workspace + STRIP_FLOATS;
  const f32 *dy = w->dy + ((isize)strip.row * w->x_axis.count + strip.col) * w->out_channels;
  i32 pixels = (strip.row_end - strip.row) * (strip.col_end - strip.col), packed = -1;
  for (i32 index = from; index < to; index++) {
    const WeightTile tile = weight_tile_at(w, index, tiles_in_panel);
    if (w->groups == 1 && w->out_channels == TILE_COLS) {
      strip.dy = dy;
      strip.dy_pixel = TILE_COLS;
    } else if (packed != tile.col) {
      pack_rows(panel, dy + tile.col, w->out_channels, tile.cols, pixels);
      packed = tile.col;
      strip.dy = panel;
      strip.dy_pixel = TILE_COLS;
    }
    accumulator.chain = accumulators + (isize)(index - from) * nodes * NODE_FLOATS;
    run_weight_tile(w, &tile, &strip, &accumulator);
    if (accumulator.ends) close_leaf(w, &tile, &accumulator);
  }
}

/** All strips for the tiles from..to-1. */
static void sum_tiles(const WeightSum *w, i32 from, i32 to, i32 tiles_in_panel, i32 nodes, f32 *workspace) {
  i32 height = w->y.count, width = w->x_axis.count;
  i32 usual = larger(1, STRIP_USUAL_BYTES / (4 * TILE_COLS) / width), wide = smaller(width, STRIP_PIXELS);
  for (i32 first = 0, leaf = 0; first < w->rows; first += w->leaf, leaf++) {
    i32 leaf_end = smaller(w->rows - first, w->leaf) + first;
    for (i32 row = first * height; row < leaf_end * height; row += usual)
      for (i32 col = 0; col < width; col += wide) {
        const Strip strip = {row, smaller(row + usual, leaf_end * height), col, smaller(col + wide, width), 0, 0};
        const Accumulator accumulator = {0, leaf, row == first * height && col == 0,
                                         strip.row_end == leaf_end * height && strip.col_end == width,
                                         leaf_end == w->rows};
        add_strip(w, strip, accumulator, from, to, tiles_in_panel, nodes, workspace);
      }
  }
}

/** The weight gradient of the formula above; x [rows, height, width, inputs], dy [.., outputs]; leafRows counts samples. */
KERNEL(treeConvolutionWeights, PTR x, PTR dy, PTR dw, I32 rows, I32 height, I32 width, I32 inputs, I32 outHeight,
       I32 outWidth, I32 outputs, I32 kernelHeight, I32 kernelWidth, I32 strideY, I32 strideX, I32 padTop, I32 padLeft,
       I32 dilationY, I32 dilationX, I32 groups, I32 leafRows) {
  WeightSum w = {x, dy, dw, rows, inputs, outputs, groups, leafRows,
                 axis_forward(outHeight, height, kernelHeight, strideY, padTop, dilationY),
                 axis_forward(outWidth, width, kernelWidth, strideX, padLeft, dilationX), 0, 0, {{0, 0, 0, 0}}};
  i32 channels = inputs / groups, taps = kernelHeight * kernelWidth;
  if (is_depthwise(inputs, outputs, groups) && taps <= DEPTHWISE_TAPS_MAX) {
    const DepthwiseGradient each = {x, dy, dw, rows, inputs, leafRows, &w.y, &w.x_axis};
    depthwise_gradient(&each, (f32 *)thread->workspace);
    return;
  }
  w.is_mixed = channels <= MIXED_CHANNELS && 2 * kernelWidth + 1 <= MIXED_SPANS;
  for (i32 col = 0; w.is_mixed && col < outWidth; col = w.spans[w.span_count++].to)
    w.spans[w.span_count] = axis_span(&w.x_axis, col);
  i32 tiles_in_panel =
      w.is_mixed ? part_count(taps * channels, TILE_ROWS) : taps * part_count(channels, TILE_ROWS);
  i32 tiles = groups * part_count(outputs / groups, TILE_COLS) * tiles_in_panel;
  // The chain, and a node for each level at which a subtree can be pending.
  i32 nodes = 1;
  for (i32 leaves = part_count(rows, leafRows) - 1; leaves > 0; leaves >>= 1) nodes++;
  i32 at_once = NODES / nodes;
  for (i32 from = 0; from < tiles; from += at_once)
    sum_tiles(&w, from, smaller(from + at_once, tiles), tiles_in_panel, nodes, (f32 *)thread->workspace);
}
