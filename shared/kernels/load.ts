import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { UserError } from '../errors.js';
import { CHECK_VARIABLE, checkOffsets } from './bounds/checked-kernels.js';
import type { Backend, Kernels, LoadOptions } from './kernels.js';
import { loadNative } from './native-kernels.js';
import { loadWasm, type WasmBuild } from './wasm-kernels.js';

/**
 * Loads the kernels for the calling thread of a Node process, main or worker: the fastest build for 'auto', else the
 * requested one. 'wasm' falls back to 'wasm-exact' where relaxed SIMD is missing or not fused; `detail` gives the reason.
 * With the environment variable UNISUM_CHECK_OFFSETS every call is checked; see checked-kernels.ts.
 * @throws UserError when 'native' is requested and not available
 */
export async function loadKernels({ backend, ...options }: KernelSelection): Promise<Kernels> {
  const kernels = await loadBuild(backend, options);
  return process.env[CHECK_VARIABLE] ? checkOffsets(kernels, options.memory) : kernels;
}

type KernelSelection = LoadOptions & { readonly backend: 'auto' | Backend };

async function loadBuild(backend: KernelSelection['backend'], options: LoadOptions): Promise<Kernels> {
  if (backend === 'auto' || backend === 'native') {
    const native = loadNative(options);
    if ('kernels' in native) return native.kernels;
    if (backend === 'native') {
      throw new UserError(`the native kernels are not available: ${native.reason}; use --backend wasm`);
    }
  }
  // Node 20 has relaxed SIMD behind a flag, which must be set before the first compilation.
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return await loadWasm(readBuild, backend === 'wasm-exact' ? backend : 'wasm', options);
}

async function readBuild(build: WasmBuild): Promise<Uint8Array<ArrayBuffer>> {
  return await readFile(new URL(`./wasm/${build}.wasm`, import.meta.url));
}
