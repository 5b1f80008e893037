/** The translation unit of every build: all kernels, and the functions that are called from outside. */
#include "kernel.h"
#include "dispatch.h"

#if defined(__wasm__)
/**
 * Runs a command buffer; see dispatch.h. Offsets are addresses here. Before the first call the caller sets
 * `__stack_pointer` to the top of the stack of this thread.
 */
__attribute__((export_name("run"))) i32 run(u32 commands, i32 words, u32 workspace) {
  const Thread thread = {0, (u8 *)workspace};
  return interpret(&thread, (const u32 *)commands, words);
}

/**
 * Whether v_fma rounds once: (1 + e)(1 - e) - 1 with e = 2^-12 is -e*e when fused, 0 when the product is rounded
 * first. The specification of relaxed SIMD allows both.
 */
__attribute__((export_name("fused"))) i32 fused(void) {
  volatile f32 e = 0x1p-12f;
  return v_sum(v_fma(v_set(1 + e), v_set(1 - e), v_set(-1))) == -0x1p-20f;
}
#else
/** Runs the command buffer at byte `commands` of the memory at `base`; see dispatch.h. */
i32 RUN(u8 *base, u32 commands, i32 words, u32 workspace) {
  const Thread thread = {base, base + workspace};
  return interpret(&thread, (const u32 *)(base + commands), words);
}
#endif
