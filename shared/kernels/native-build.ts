import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isCheckout, packageRoot } from '../package-root.js';
import type { Backend } from './kernels.js';
import { addonFile, nativeFolder, reasonFile } from './native-kernels.js';

/** A compiler that takes longer counts as broken. */
const BUILD_MS_MAX = 180_000;

/**
 * Whether native kernels are to be compiled before this backend is used: of an installed package, at first use, once. In a checkout
 * setup does it.
 */
export function nativeBuildIsDue(backend: 'auto' | Backend): boolean {
  if ((backend !== 'auto' && backend !== 'native') || isCheckout()) return false;
  const folder = nativeFolder();
  return !existsSync(addonFile(folder)) && !existsSync(reasonFile(folder));
}

/**
 * Compiles the native kernels with the machine's compiler into the user's cache. Where that fails, the reason lies beside them, and
 * wasm is used. Takes up to half a minute.
 */
export async function buildNativeKernels(): Promise<void> {
  const script = join(packageRoot(), 'scripts', 'build-native.mjs');
  await new Promise<void>((resolve) => {
    const child = execFile(
      process.execPath,
      [script, nativeFolder()],
      { timeout: BUILD_MS_MAX, killSignal: 'SIGKILL' },
      () => resolve(),
    );
    child.stdin?.end();
  });
}
