/**
 * The kernels as a separate program, for builds that Node cannot load: with sanitizers, or for another processor under
 * emulation. Compiled together with shared/kernels/c/entry.c; RUN is the name of its function.
 *
 *     driver MEMORY_BYTES
 *
 * reads requests from stdin until its end, and answers each on stdout; driver.ts is the other side. Words are 32 bits,
 * little-endian. A request is a Request, the words of a command buffer, `regions` Regions, and `span_bytes` bytes of the
 * memory from `span` on; the answer is the status of the kernels and the same bytes after the call. With the address
 * sanitizer only the command buffer, the workspace and the regions may be accessed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

int32_t RUN(uint8_t *base, uint32_t commands, int32_t words, uint32_t workspace);

typedef struct {
  uint32_t commands, words, workspace, workspace_bytes, span, span_bytes, regions;
} Request;

typedef struct {
  uint32_t offset, bytes;
} Region;

static void stop(const char *why) {
  fprintf(stderr, "driver: %s\n", why);
  exit(1);
}

static void receive(void *to, size_t bytes) {
  if (fread(to, 1, bytes, stdin) != bytes) stop("the request is incomplete");
}

static void open_region(uint8_t *base, size_t memory_bytes, uint32_t offset, uint32_t bytes) {
  if (offset > memory_bytes || bytes > memory_bytes - offset) stop("a region lies outside of the memory");
  ASAN_UNPOISON_MEMORY_REGION(base + offset, bytes);
}

int main(int count, char **arguments) {
  const size_t memory_bytes = count == 2 ? strtoull(arguments[1], NULL, 10) : 0;
  // Page-aligned, like the memories of Node.
  uint8_t *base = memory_bytes ? aligned_alloc(65536, memory_bytes) : NULL;
  if (!base) stop("usage: driver MEMORY_BYTES, a multiple of 65536");
  for (size_t i = 0; i < memory_bytes; i++) base[i] = 0xa5;

  Request request;
  while (fread(&request, sizeof request, 1, stdin) == 1) {
    Region *regions = malloc(((size_t)request.regions + 1) * sizeof(Region));
    if (!regions) stop("no memory for the regions");
    open_region(base, memory_bytes, request.span, request.span_bytes);
    open_region(base, memory_bytes, request.commands, request.words * 4);
    receive(base + request.commands, (size_t)request.words * 4);
    receive(regions, request.regions * sizeof(Region));
    receive(base + request.span, request.span_bytes);

    ASAN_POISON_MEMORY_REGION(base, memory_bytes);
    open_region(base, memory_bytes, request.commands, request.words * 4);
    open_region(base, memory_bytes, request.workspace, request.workspace_bytes);
    for (uint32_t i = 0; i < request.regions; i++)
      open_region(base, memory_bytes, regions[i].offset, regions[i].bytes);
    free(regions);
    const int32_t status = RUN(base, request.commands, (int32_t)request.words, request.workspace);

    open_region(base, memory_bytes, request.span, request.span_bytes);
    fwrite(&status, sizeof status, 1, stdout);
    fwrite(base + request.span, 1, request.span_bytes, stdout);
    if (fflush(stdout) != 0) stop("the answer cannot be written");
  }
  free(base);
  return 0;
}
