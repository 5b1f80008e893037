import { ComputeMemory } from '../../shared/engine/memory.js';
import { UserError } from '../../shared/errors.js';
import { BACKENDS, type Backend, type Kernels } from '../../shared/kernels/kernels.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { THREAD_BYTES } from '../../shared/kernels/memory-map.js';

/** Kernels for the calling thread, on a memory of their own. */
export interface Workbench {
  readonly memory: ComputeMemory;
  readonly kernels: Kernels;
}

/** @throws UserError when the backend is not to be had here */
export async function openWorkbench(backend: Backend): Promise<Workbench> {
  const memory = new ComputeMemory();
  const stackTop = memory.allocate(THREAD_BYTES, 'compute threads') + THREAD_BYTES;
  return { memory, kernels: await loadKernels({ memory: memory.memory, stackTop, backend }) };
}

/** Backends that this machine has, fastest first. */
export async function presentBackends(): Promise<Backend[]> {
  const present = await Promise.all(BACKENDS.map(isPresent));
  return BACKENDS.filter((_, i) => present[i]);
}

async function isPresent(backend: Backend): Promise<boolean> {
  try {
    // Where relaxed SIMD is missing, 'wasm' becomes 'wasm-exact', which is measured as itself.
    return (await openWorkbench(backend)).kernels.backend === backend;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
