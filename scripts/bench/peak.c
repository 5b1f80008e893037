/*
 * Peak of one core: independent chains of fused multiply-adds in the widest vector registers. Prints the GFLOP/s of the
 * fastest of several windows. Compiled by scripts/bench/peak.ts.
 */
#include <stdio.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

typedef float Vector __attribute__((vector_size(BYTES)));

enum { CHAINS = 12, ROUNDS = 400000, WINDOWS = 40 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(void) {
  volatile float factor = 0.999f;
  Vector x = {0}, chains[CHAINS] = {{0}};
  x += factor;
  double fastest = 1e9;
  for (int w = 0; w < WINDOWS; w++) {
    double begun = seconds();
    for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 12
      for (int c = 0; c < CHAINS; c++) chains[c] = chains[c] * x + x;
    double spent = seconds() - begun;
    if (spent < fastest) fastest = spent;
  }
  float sum = 0;
  for (int c = 0; c < CHAINS; c++) sum += chains[c][0];
  /* Uses the sum, so that the compiler keeps the chains; it is never NaN. */
  if (sum != sum) return 1;
  printf("%.2f\n", 2.0 * CHAINS * (BYTES / 4) * ROUNDS / fastest / 1e9);
  return 0;
}
