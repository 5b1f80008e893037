/** Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit. */
#pragma once
#define SOURCE_VERSION "20a41c0152b0456e"
