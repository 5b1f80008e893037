/** Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit. */
#pragma once

#include "products.c"

/** The address of an offset; offset 0 is NULL, "none". */
INLINE void *dispatch_pointer(const Thread *thread, u32 offset) { return offset ? thread->base + offset : 0; }

/**
 * Runs a tape: opcode, arguments, opcode, arguments, ... of 32 bits each.
 * Returns 0, or 1 + the index of the word where an unknown opcode or an incomplete call begins.
 */
static i32 interpret(const Thread *thread, const u32 *tape, i32 words) {
  const u32 *word = tape, *end = tape + words;
  while (word < end) {
    switch (*word) {
      case 0:
        if (end - word < 9) return (i32)(word - tape) + 1;
        kernel_matmul(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), dispatch_pointer(thread, word[4]), (i32)word[5], (i32)word[6], (i32)word[7], (i32)word[8]);
        word += 9;
        break;
      case 1:
        if (end - word < 7) return (i32)(word - tape) + 1;
        kernel_matmulTransposedB(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6]);
        word += 7;
        break;
      case 2:
        if (end - word < 8) return (i32)(word - tape) + 1;
        kernel_treeMatmulTransposedA(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), dispatch_pointer(thread, word[3]), (i32)word[4], (i32)word[5], (i32)word[6], (i32)word[7]);
        word += 8;
        break;
      case 3:
        if (end - word < 6) return (i32)(word - tape) + 1;
        kernel_treeSumRows(thread, dispatch_pointer(thread, word[1]), dispatch_pointer(thread, word[2]), (i32)word[3], (i32)word[4], (i32)word[5]);
        word += 6;
        break;
      default:
        return (i32)(word - tape) + 1;
    }
  }
  return 0;
}
