/** Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit. */
#pragma once
#define SOURCE_VERSION "3949f7b34650870b"
