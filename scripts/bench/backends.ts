import { ComputeMemory } from '../../shared/engine/memory.js';
import { UserError } from '../../shared/errors.js';
import { BACKENDS, type Backend } from '../../shared/kernels/kernels.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { THREAD_BYTES } from '../../shared/kernels/memory-map.js';

/** Backends that this machine has, fastest first. */
export async function presentBackends(): Promise<Backend[]> {
  const present = await Promise.all(BACKENDS.map(isPresent));
  return BACKENDS.filter((_, i) => present[i]);
}

async function isPresent(backend: Backend): Promise<boolean> {
  const memory = new ComputeMemory();
  const stackTop = memory.allocate(THREAD_BYTES) + THREAD_BYTES;
  try {
    // Where relaxed SIMD is missing, 'wasm' becomes 'wasm-exact', which is measured as itself.
    return (await loadKernels({ memory: memory.memory, stackTop, backend })).backend === backend;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
