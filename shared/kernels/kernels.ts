/**
 * The builds of the kernel source: 'native' (the addon), 'wasm' (relaxed SIMD), 'wasm-exact' (fused multiply-add through
 * f64). All give the same bits.
 */
export const BACKENDS = ['native', 'wasm', 'wasm-exact'] as const;
export type Backend = (typeof BACKENDS)[number];

/** The kernels as one thread uses them. An instance must not be shared between threads: it has one stack. */
export interface Kernels {
  readonly backend: Backend;
  /** The instruction set: 'avx512', 'avx2', 'neon', 'plain', 'relaxed-simd' or 'simd', perhaps with the reason for a slower one. */
  readonly detail: string;
  /**
   * Runs a command buffer (see command-buffer.ts) that lies in the memory.
   * @param offset byte offset, a multiple of 4
   * @param words its length in 32-bit words
   * @throws AssertionError when it has anything but whole calls of known kernels; the calls before that have run
   */
  run(offset: number, words: number): void;
}

/** Arguments of all loaders. */
export interface LoadOptions {
  /** The shared memory of command buffers and tensors; its first STATIC_BYTES are reserved for the wasm build. */
  readonly memory: WebAssembly.Memory;
  /** End of THREAD_BYTES in `memory` that only this thread uses; a multiple of 64. */
  readonly stackTop: number;
}
