/**
 * The native builds of entry.c by instruction set, best first, and the processor features that each needs. An addon may
 * contain only some of them (setup compiles only the best, tests compile all): the others are weak symbols that stay NULL.
 */
#ifndef ISAS_H
#define ISAS_H

#include <stdint.h>

typedef int32_t Run(uint8_t *base, uint32_t commands, int32_t words, uint32_t workspace);

typedef struct {
  const char *name;
  /** NULL: not in this addon. */
  Run *run;
  int (*supported)(void);
} Isa;

static int always(void) { return 1; }

#define OPTIONAL __attribute__((weak)) extern Run
OPTIONAL run_plain;
#if defined(__x86_64__)
OPTIONAL run_avx512, run_avx2;
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
static const Isa ISAS[] = {
    {"avx512", run_avx512, has_avx512}, {"avx2", run_avx2, has_avx2}, {"plain", run_plain, always}};
#elif defined(__aarch64__)
OPTIONAL run_neon;
static const Isa ISAS[] = {{"neon", run_neon, always}, {"plain", run_plain, always}};
#else
static const Isa ISAS[] = {{"plain", run_plain, always}};
#endif

#define ISA_COUNT (sizeof ISAS / sizeof ISAS[0])

#endif
