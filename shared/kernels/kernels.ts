/**
 * The builds of the one kernel source: 'native' (the addon), 'wasm' (relaxed SIMD), 'wasm-exact' (fused multiply-add
 * through f64). All give the same bits.
 */
export const BACKENDS = ['native', 'wasm', 'wasm-exact'] as const;
export type Backend = (typeof BACKENDS)[number];

/** The kernels as one thread uses them. An instance must not be shared between threads: it has one stack. */
export interface Kernels {
  readonly backend: Backend;
  /** What it runs on: 'avx512', 'avx2', 'neon', 'plain', 'relaxed-simd', 'simd', and at times why nothing faster. */
  readonly detail: string;
  /**
   * Runs a tape (see tape.ts) that lies in the memory.
   * @param tapeOffset byte offset, a multiple of 4
   * @param words its length in 32-bit words
   * @throws AssertionError when the tape is not made of whole calls of known kernels; the calls before have run
   */
  run(tapeOffset: number, words: number): void;
}

/** What a loader needs to know. */
export interface LoadOptions {
  /** The shared memory that tapes and tensors lie in; its first STATIC_BYTES are the wasm build's. */
  readonly memory: WebAssembly.Memory;
  /** End of THREAD_BYTES in `memory` that are this thread's alone; a multiple of 64. */
  readonly stackTop: number;
}
