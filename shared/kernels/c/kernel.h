/**
 * What every kernel file includes: the element types, the macro that declares a kernel, and the vector type.
 *
 *   KERNEL(addVectors, PTR out, PTR a, PTR b, I32 n) { ... }
 *
 * `scripts/build-kernels.ts` reads these prototypes and writes dispatch.h (the tape interpreter) and ../table.ts
 * (the same list for TypeScript). An argument is one 32-bit word on the tape: PTR a byte offset into the memory
 * (offset 0 arrives as NULL: "none"), I32 an integer, F32 a float's bits.
 *
 * All kernel files are compiled as one translation unit: helpers are `static`, their names are unique.
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

/** What belongs to the calling thread. Offsets that a kernel finds in memory count from `base`. */
typedef struct {
  u8 *base;
  /** WORKSPACE_BYTES that no other thread touches, 64-byte aligned; contents do not survive a kernel. */
  u8 *workspace;
} Thread;

/** Bytes at `Thread.workspace`; the same number is in ../memory-map.ts. */
#define WORKSPACE_BYTES (704 * 1024)

#define PTR void *
#define I32 i32
#define F32 f32
// Not inlined: engines compile function by function, and the interpreter must not become one huge one.
#define KERNEL(name, ...) \
  static __attribute__((noinline)) void kernel_##name(__attribute__((unused)) const Thread *thread, __VA_ARGS__)

#define INLINE static inline __attribute__((always_inline, unused))

#include "simd.h"
