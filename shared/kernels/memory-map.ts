/** The parts that the kernels reserve in the memory that all compute threads of a process share. */

/** Bytes at the start of the memory, reserved for the constants of the wasm build. */
export const STATIC_BYTES = 65536;

/** Bytes of the workspace of one thread; must equal the constant in c/kernel.h. */
export const WORKSPACE_BYTES = 704 * 1024;

/** Floats of a block of sumSquares, which writes one sum for each block; must equal the constant in c/norms.c. */
export const NORM_BLOCK_FLOATS = 1024;

/** Bytes of the stack of one thread in the wasm builds. */
const STACK_BYTES = 64 * 1024;

/**
 * Bytes that each thread reserves below its `stackTop`, a multiple of 64: its stack and, below it, its workspace.
 */
export const THREAD_BYTES = STACK_BYTES + WORKSPACE_BYTES;
