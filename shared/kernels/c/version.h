/** Generated from the KERNEL prototypes by scripts/dev/build-kernels.ts; do not edit. */
#pragma once
#define SOURCE_VERSION "7e10e28c445999a2"
