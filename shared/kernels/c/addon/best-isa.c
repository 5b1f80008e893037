/** Prints the name of the best instruction set that this processor supports: setup compiles entry.c for it. */
#include <stdio.h>

#include "isas.h"

int main(void) {
  for (unsigned i = 0; i < ISA_COUNT; i++) {
    if (ISAS[i].supported()) return puts(ISAS[i].name) < 0;
  }
  return 1;
}
