import { WORKLOADS } from '../../bench/workloads.js';

/** A workload of the benchmarks as a recipe file, which `train` takes. */
export const recipe = WORKLOADS.find(({ name }) => name === 'mlp512');
