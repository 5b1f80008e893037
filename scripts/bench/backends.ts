import { ComputeMemory } from '../../shared/engine/memory.js';
import { UserError } from '../../shared/errors.js';
import { BACKENDS, type Backend, type Kernels } from '../../shared/kernels/kernels.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { THREAD_BYTES } from '../../shared/kernels/memory-map.js';

/** Kernels for the calling thread, with their own memory. */
export interface Workbench {
  readonly memory: ComputeMemory;
  readonly kernels: Kernels;
}

/** @throws UserError when this machine does not have the backend */
export async function openWorkbench(backend: Backend): Promise<Workbench> {
  const memory = new ComputeMemory();
  const stackTop = memory.allocate(THREAD_BYTES, 'compute threads') + THREAD_BYTES;
  return { memory, kernels: await loadKernels({ memory: memory.memory, stackTop, backend }) };
}

/** Backends that this machine has, fastest first. */
export async function availableBackends(): Promise<Backend[]> {
  const available = await Promise.all(BACKENDS.map(isAvailable));
  return BACKENDS.filter((_, i) => available[i]);
}

async function isAvailable(backend: Backend): Promise<boolean> {
  try {
    // Without relaxed SIMD, 'wasm' falls back to 'wasm-exact', which is measured under its own name.
    return (await openWorkbench(backend)).kernels.backend === backend;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
