/** Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit. */
#pragma once
#define SOURCE_VERSION "f52ed3f3cb665756"
