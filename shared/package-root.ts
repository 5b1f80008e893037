import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, of the checkout or the installed package: above this file in the source, and in dist/. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Whether this is a checkout, in which setup compiles, and not an installed package. */
export function isCheckout(): boolean {
  return existsSync(join(packageRoot(), 'scripts', 'setup.mjs'));
}
