/**
 * Included by every kernel file: the element types, the macro that declares a kernel, and the vector type.
 *
 *   KERNEL(addVectors, PTR out, PTR a, PTR b, I32 n) { ... }
 *
 * `scripts/dev/build-kernels.ts` reads these prototypes and writes dispatch.h (the command buffer interpreter) and
 * ../table.ts (the same list for TypeScript). An argument is one 32-bit word of the command buffer: PTR is a byte offset
 * into the memory (offset 0 arrives as NULL and means "none"), I32 an integer, F32 the bits of a float.
 *
 * All kernel files are compiled as one translation unit, so helpers are `static` and have unique names.
 */
#pragma once

typedef float f32;
typedef double f64;
typedef unsigned char u8;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
/** Distances in memory, as wide as a pointer. */
typedef __PTRDIFF_TYPE__ isize;

/** What belongs to the calling thread. Offsets that a kernel reads from memory are relative to `base`. */
typedef struct {
  u8 *base;
  /** WORKSPACE_BYTES of scratch memory for this thread only, 64-byte aligned; not preserved between kernels. */
  u8 *workspace;
} Thread;

/** Bytes at `Thread.workspace`; must equal the constant in ../memory-map.ts. */
#define WORKSPACE_BYTES (704 * 1024)

#define PTR void *
#define I32 i32
#define F32 f32
// Not inlined: WebAssembly engines compile one function at a time, and an interpreter with all kernels inlined is too large.
#define KERNEL(name, ...) \
  static __attribute__((noinline)) void kernel_##name(__attribute__((unused)) const Thread *thread, __VA_ARGS__)

#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("GCC unroll 16")

INLINE i32 larger(i32 a, i32 b) { return a > b ? a : b; }
INLINE i32 smaller(i32 a, i32 b) { return a < b ? a : b; }

#include "simd.h"
