#ifdef __linux__
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "shared-memory.h"

#if defined(__linux__) && defined(F_ADD_SEALS)

/** What keeps a file from changing its size, and these seals from being removed. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static void unmap(napi_env env, void *data, void *hint) {
  (void)env;
  munmap(data, (size_t)(uintptr_t)hint);
}

/** The file as an ArrayBuffer, or NULL: it cannot be mapped. */
static napi_value map(napi_env env, int file, size_t bytes) {
  void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  napi_value buffer;
  if (data == MAP_FAILED) return NULL;
  if (napi_create_external_arraybuffer(env, data, bytes, unmap, (void *)(uintptr_t)bytes, &buffer) == napi_ok)
    return buffer;
  munmap(data, bytes);
  return NULL;
}

/** (bytes: number) -> {file: number, memory: ArrayBuffer}, or undefined: the system does not give it. The caller closes the file. */
static napi_value create_shared(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, memory, number, result;
  uint32_t bytes;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_value_uint32(env, argument, &bytes) != napi_ok) return NULL;
  int file = memfd_create("unisum", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return NULL;
  if (ftruncate(file, bytes) == 0 && fcntl(file, F_ADD_SEALS, SEALS) == 0 && (memory = map(env, file, bytes)) &&
      napi_create_object(env, &result) == napi_ok && napi_create_int32(env, file, &number) == napi_ok &&
      napi_set_named_property(env, result, "file", number) == napi_ok &&
      napi_set_named_property(env, result, "memory", memory) == napi_ok)
    return result;
  close(file);
  return NULL;
}

/** (path: string, bytes: number) -> ArrayBuffer, or undefined: no such file of this size that cannot shrink. */
static napi_value open_shared(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2], memory = NULL;
  char path[64];
  uint32_t bytes;
  struct stat status;
  if (napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_value_string_utf8(env, args[0], path, sizeof path, NULL) != napi_ok) return NULL;
  if (napi_get_value_uint32(env, args[1], &bytes) != napi_ok) return NULL;
  int file = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return NULL;
  int seals = fcntl(file, F_GET_SEALS);
  if (seals >= 0 && (seals & SEALS) == SEALS && fstat(file, &status) == 0 && status.st_size == (off_t)bytes)
    memory = map(env, file, bytes);
  close(file);
  return memory;
}

int export_shared_memory(napi_env env, napi_value exports) {
  napi_value create, open;
  return napi_create_function(env, "createShared", NAPI_AUTO_LENGTH, create_shared, NULL, &create) == napi_ok &&
         napi_set_named_property(env, exports, "createShared", create) == napi_ok &&
         napi_create_function(env, "openShared", NAPI_AUTO_LENGTH, open_shared, NULL, &open) == napi_ok &&
         napi_set_named_property(env, exports, "openShared", open) == napi_ok;
}

#else

int export_shared_memory(napi_env env, napi_value exports) {
  (void)env;
  (void)exports;
  return 1;
}

#endif
