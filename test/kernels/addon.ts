import { buildNative } from '../../scripts/build-native.mjs';

/**
 * Brings the native kernels up to date before any test asks which builds there are: a stale addon would be left out. So
 * would what `npm run proof` adds.
 */
export async function setup(): Promise<void> {
  await buildNative(undefined, 'all');
  const { make, PROOF_BUILDS } = await import('../proof/builds.js');
  // At once: each keeps one core busy for a minute.
  await Promise.all(PROOF_BUILDS.map(make));
}
