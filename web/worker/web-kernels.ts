import type { Platform } from '../../shared/engine/threads/thread-host.js';
import { UserError } from '../../shared/errors.js';
import { loadWasm, type WasmBuild } from '../../shared/kernels/wasm-kernels.js';

/** Loads the kernels for the calling thread. */
export const loadWebKernels: Platform['loadKernels'] = ({ backend, ...options }) => {
  if (backend === 'native') throw new UserError('browsers have no native kernels');
  return loadWasm(fetchBuild, backend === 'auto' ? 'wasm' : backend, options);
};

async function fetchBuild(build: WasmBuild): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(`../kernels/${build}.wasm`, import.meta.url));
  if (!response.ok) throw new UserError(`the kernels cannot be loaded: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
