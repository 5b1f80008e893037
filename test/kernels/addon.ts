import { buildNative } from '../../scripts/build-native.mjs';

/**
 * Builds the native kernels, and the builds that `npm run proof` adds, before any test asks which builds are available: an
 * outdated addon would be left out.
 */
export async function setup(): Promise<void> {
  await buildNative(undefined, 'all');
  const { make, PROOF_BUILDS } = await import('../proof/builds.js');
  // In parallel: each compilation uses one core for a minute.
  await Promise.all(PROOF_BUILDS.map(make));
}
