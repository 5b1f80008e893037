/**
 * Memory that processes of one machine share (Linux): an anonymous file that cannot shrink, so that no process can make another one
 * fault, and that is gone when nobody has it any more.
 */
#pragma once
#include <node_api.h>

/** Adds `createShared` and `openShared` to the exports, where the system has them. @return 0 if it failed, with an exception pending */
int export_shared_memory(napi_env env, napi_value exports);
