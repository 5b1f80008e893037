/** Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit. */
#pragma once
#define SOURCE_VERSION "e08cb6db21512388"
