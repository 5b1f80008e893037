/** Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit. */
#pragma once
#define SOURCE_VERSION "537932c8ce83eefb"
