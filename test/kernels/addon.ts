import { buildNative } from '../../scripts/build-native.mjs';

/** Brings the native kernels up to date before any test asks which builds there are: a stale addon would be left out. */
export async function setup(): Promise<void> {
  await buildNative();
}
