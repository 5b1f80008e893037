/**
 * Embedding tables and positional encodings. An id is a float that holds an integer; an id that is not a row of the table
 * (NaN included) gives a vector of zeros and has no gradient.
 */
#include "kernel.h"
#include "math.h"

/** The row of the table for an id, or -1. */
INLINE i32 entry_of(f32 id, i32 entries) { return id >= 0 && id < (f32)entries ? (i32)id : -1; }

/** out[r] = table[ids[r]] */
KERNEL(embeddingForward, PTR ids, PTR table, PTR out, I32 rows, I32 width, I32 entries) {
  for (i32 r = 0; r < rows; r++) {
    const i32 entry = entry_of(((const f32 *)ids)[r], entries);
    const f32 *from = (const f32 *)table + (isize)(entry < 0 ? 0 : entry) * width;
    f32 *to = (f32 *)out + (isize)r * width;
    BLOCKS(width, part_store(to + at, entry < 0 ? v_zero() : part_load(from + at, lanes), lanes););
  }
}

/** Vectors of a row that are processed at once. */
#define SCATTER_VECS 8
#define SCATTER_LEVELS 32

/** An integer in memory that later holds floats. */
typedef i32 __attribute__((may_alias)) alias_i32;

/** Occurrences of one entry: a linked list of row numbers; -1 ends it. */
typedef struct {
  const i32 *next;
  i32 first;
  i32 leaf_rows;
} Occurrences;

/**
 * The tree of `vecs` vectors of columns over an entry's occurrences, `lanes` columns in each.
 *
 * Only leaves with an occurrence are visited: the sum of any other leaf is +0, and adding +0 changes only -0, which no
 * chain that starts from +0 can give. Neighbours in the list of leaves are merged the later the higher their lowest common
 * parent is, so the pending subtrees are a stack, and each next leaf decides how far it is merged from the top.
 */
INLINE void scatter_columns(const i32 vecs, i32 lanes, const Occurrences *list, const f32 *dy, isize width, f32 *out,
                            f32 *pending) {
  v16 acc[SCATTER_VECS];
  u32 leaves[SCATTER_LEVELS];
  i32 depth = 0;
  for (i32 r = list->first; r >= 0;) {
    const u32 leaf = (u32)r / (u32)list->leaf_rows;
    while (depth > 1 && (leaves[depth - 2] ^ leaves[depth - 1]) < (leaves[depth - 1] ^ leaf)) {
      f32 *top = pending + (depth - 1) * SCATTER_VECS * 16, *below = top - SCATTER_VECS * 16;
      for (i32 j = 0; j < vecs; j++) v_store(below + j * 16, v_add(v_load(below + j * 16), v_load(top + j * 16)));
      leaves[depth - 2] = leaves[depth - 1];
      depth--;
    }
    for (i32 j = 0; j < vecs; j++) acc[j] = v_zero();
    for (; r >= 0 && (u32)r / (u32)list->leaf_rows == leaf; r = list->next[r])
      for (i32 j = 0; j < vecs; j++) acc[j] = v_add(acc[j], part_load(dy + r * width + j * 16, lanes));
    for (i32 j = 0; j < vecs; j++) v_store(pending + (depth * SCATTER_VECS + j) * 16, acc[j]);
    leaves[depth++] = leaf;
  }
  for (i32 j = 0; j < vecs; j++) acc[j] = depth > 0 ? v_load(pending + ((depth - 1) * SCATTER_VECS + j) * 16) : v_zero();
  for (i32 level = depth - 2; level >= 0; level--)
    for (i32 j = 0; j < vecs; j++) acc[j] = v_add(v_load(pending + (level * SCATTER_VECS + j) * 16), acc[j]);
  for (i32 j = 0; j < vecs; j++) part_store(out + j * 16, acc[j], lanes);
}

/**
 * Gradient of a table: out[e] = tree over leaves of the sum over the rows r with ids[r] = e of dy[r], in their order.
 * next[r] is set to the next row with the id of row r, or -1. The heads of the lists are kept where the sums are written.
 */
KERNEL(treeScatterRows, PTR ids, PTR dy, PTR next, PTR out, I32 rows, I32 width, I32 entries, I32 leafRows) {
  i32 *following = next;
  alias_i32 *heads = out;
  f32 *pending = (f32 *)thread->workspace;
  for (i32 e = 0; e < entries; e++) heads[(isize)e * width] = -1;
  for (i32 r = rows - 1; r >= 0; r--) {
    const i32 entry = entry_of(((const f32 *)ids)[r], entries);
    following[r] = entry < 0 ? -1 : heads[(isize)entry * width];
    if (entry >= 0) heads[(isize)entry * width] = r;
  }
  for (i32 e = 0; e < entries; e++) {
    const Occurrences list = {following, heads[(isize)e * width], leafRows};
    f32 *to = (f32 *)out + (isize)e * width;
    i32 c = 0;
    for (; width - c >= SCATTER_VECS * 16; c += SCATTER_VECS * 16)
      scatter_columns(SCATTER_VECS, 16, &list, (const f32 *)dy + c, width, to + c, pending);
    for (; c < width; c += 16)
      scatter_columns(1, width - c < 16 ? width - c : 16, &list, (const f32 *)dy + c, width, to + c, pending);
  }
}

/** out[r] = a[r] + b, b being one row of n. In place allowed (out is a). */
KERNEL(addToRows, PTR out, PTR a, PTR b, I32 rows, I32 n) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *from = (const f32 *)a + (isize)r * n, *row = b;
    f32 *to = (f32 *)out + (isize)r * n;
    BLOCKS(n, part_store(to + at, v_add(part_load(from + at, lanes), part_load(row + at, lanes)), lanes););
  }
}

/**
 * out[r, p, i] = a[r, p, i] + sin(angle) for even i, cos(angle) for odd i, with angle = p * e^(-ln(10000) * 2j / width)
 * and j = i / 2 (Vaswani et al., "Attention is all you need", 2017). In place allowed.
 */
KERNEL(addSinusoids, PTR out, PTR a, I32 rows, I32 positions, I32 width) {
  static const i32 ascending[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const v16 decay = v_set(-0x1.26bb1cp+3f / (f32)width);
  const isize sample = (isize)positions * width;
  for (i32 p = 0; p < positions; p++)
    BLOCKS_LONG(width, const w16 i = w_add(w_set(at), w_load(ascending));
                const w16 odd = w_and(i, w_set(1));
                const v16 frequency = v_exp(v_mul(v_from_w(w_sub(i, odd)), decay));
                Angle angle = v_reduce_angle(v_mul(v_set((f32)p), frequency));
                angle.quadrant = w_add(angle.quadrant, odd);
                const v16 wave = v_sin_of(angle);
                for (i32 r = 0; r < rows; r++) {
                  const isize place = r * sample + (isize)p * width + at;
                  part_store((f32 *)out + place, v_add(part_load((const f32 *)a + place, lanes), wave), lanes);
                })
}
