/**
 * The Node-API addon of the native build, usable in any number of threads. entry.c is compiled once for each instruction
 * set; the addon chooses among those that the processor supports.
 */
#include <node_api.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "isas.h"
#include "shared-memory.h"
#include "../version.h"

/** Whether this addon contains the build and this processor can run it. */
static int usable(const Isa *isa) { return isa->run && isa->supported(); }

/** The memory and the build that one thread uses. */
typedef struct {
  Run *run;
  uint8_t *base;
  uint32_t workspace;
  napi_ref memory;
} Attachment;

/** Returns NULL from the calling function, with an exception pending, when a call into Node fails. */
#define CHECK(call)                                                       \
  do {                                                                    \
    if ((call) != napi_ok) {                                              \
      napi_throw_error(env, NULL, "kernels addon: " #call " failed");     \
      return NULL;                                                        \
    }                                                                     \
  } while (0)

/** (offset of the command buffer, words) -> 0, or 1 + the index of the bad word. */
static napi_value run(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2], result;
  Attachment *at;
  uint32_t commands;
  int32_t words;
  CHECK(napi_get_cb_info(env, info, &count, args, NULL, (void **)&at));
  CHECK(napi_get_value_uint32(env, args[0], &commands));
  CHECK(napi_get_value_int32(env, args[1], &words));
  CHECK(napi_create_int32(env, at->run(at->base, commands, words, at->workspace), &result));
  return result;
}

static void detach(napi_env env, void *data, void *hint) {
  (void)hint;
  napi_delete_reference(env, ((Attachment *)data)->memory);
  free(data);
}

/** (memory: Uint8Array, workspace: number, isa: string) -> run */
static napi_value attach(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value args[3], function;
  void *base;
  uint32_t workspace;
  char name[16];
  CHECK(napi_get_cb_info(env, info, &count, args, NULL, NULL));
  CHECK(napi_get_typedarray_info(env, args[0], NULL, NULL, &base, NULL, NULL));
  CHECK(napi_get_value_uint32(env, args[1], &workspace));
  CHECK(napi_get_value_string_utf8(env, args[2], name, sizeof name, NULL));
  for (size_t i = 0; i < ISA_COUNT; i++) {
    if (strcmp(ISAS[i].name, name) != 0 || !usable(&ISAS[i])) continue;
    Attachment *at = malloc(sizeof *at);
    if (!at) break;
    *at = (Attachment){ISAS[i].run, base, workspace, NULL};
    CHECK(napi_create_reference(env, args[0], 1, &at->memory));
    CHECK(napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, at, &function));
    CHECK(napi_add_finalizer(env, function, at, detach, NULL, NULL));
    return function;
  }
  napi_throw_error(env, NULL, "kernels addon: this processor cannot run that instruction set");
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value version, isas, name, function;
  CHECK(napi_create_string_utf8(env, SOURCE_VERSION, NAPI_AUTO_LENGTH, &version));
  CHECK(napi_set_named_property(env, exports, "version", version));
  CHECK(napi_create_array(env, &isas));
  for (uint32_t i = 0, found = 0; i < ISA_COUNT; i++) {
    if (!usable(&ISAS[i])) continue;
    CHECK(napi_create_string_utf8(env, ISAS[i].name, NAPI_AUTO_LENGTH, &name));
    CHECK(napi_set_element(env, isas, found++, name));
  }
  CHECK(napi_set_named_property(env, exports, "isas", isas));
  CHECK(napi_create_function(env, "attach", NAPI_AUTO_LENGTH, attach, NULL, &function));
  CHECK(napi_set_named_property(env, exports, "attach", function));
  if (!export_shared_memory(env, exports)) napi_throw_error(env, NULL, "kernels addon: no shared memory");
  return exports;
}
