/**
 * What the kernels ask of the one memory that all compute threads of a process share.
 */

/** Bytes at the start of the memory that hold the wasm build's constants; nobody else writes there. */
export const STATIC_BYTES = 65536;

/** Bytes of packing space that one thread's kernels use; the same number is in c/kernel.h. */
export const WORKSPACE_BYTES = 704 * 1024;

/** Floats of a block, for each of which a norm of a vector has a number of its own; the same number is in c/norms.c. */
export const NORM_BLOCK_FLOATS = 1024;

/** Bytes of one thread's stack in the wasm builds. */
const STACK_BYTES = 64 * 1024;

/**
 * Bytes that each thread sets aside below its `stackTop`: its stack and, below that, its workspace. `stackTop` is a
 * multiple of 64.
 */
export const THREAD_BYTES = STACK_BYTES + WORKSPACE_BYTES;
