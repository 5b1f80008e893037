import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssertionError, assert } from '../errors.js';
import type { Kernels, LoadOptions } from './kernels.js';
import { STATIC_BYTES, THREAD_BYTES } from './memory-map.js';
import { SOURCE_VERSION } from './table.js';

/** What c/addon/addon.c exports. The function that `attach` returns keeps the memory alive. */
interface Addon {
  readonly version: string;
  /** The instruction sets that it was built for and this processor has, best first. */
  readonly isas: readonly string[];
  attach(memory: Uint8Array, workspace: number, isa: string): (tapeOffset: number, words: number) => number;
}

/** Where scripts/build-native.mjs leaves the addon, or why there is none. From the package's root. */
const OUTPUT = join('native', 'build');

/** The instruction sets that native kernels can run on here, best first; none when there is no addon. */
export function nativeIsas(): readonly string[] {
  const found = findAddon();
  return 'addon' in found ? found.addon.isas : [];
}

/**
 * Loads the addon for the calling thread, or says in a few words why it cannot.
 * @param isa one of `nativeIsas()`, by default the best
 * @throws AssertionError when `stackTop` leaves no room
 */
export function loadNative(
  { memory, stackTop }: LoadOptions,
  isa?: string,
): { kernels: Kernels } | { reason: string } {
  const workspace = stackTop - THREAD_BYTES;
  assert(stackTop % 64 === 0 && workspace >= STATIC_BYTES, `no room for a thread below ${stackTop}`);
  assert(stackTop <= memory.buffer.byteLength, `a workspace below ${stackTop} lies outside the memory`);
  const found = findAddon();
  if ('reason' in found) return found;
  const { addon } = found;
  // Memory that grows stays where it is, so one attachment serves for good.
  const chosen = isa ?? addon.isas[0]!;
  const run = addon.attach(new Uint8Array(memory.buffer), workspace, chosen);
  const kernels: Kernels = {
    backend: 'native',
    detail: chosen,
    run(tapeOffset, words) {
      const bad = run(tapeOffset, words);
      if (bad !== 0)
        throw new AssertionError(`the tape at ${tapeOffset} has no valid call at word ${bad - 1}`);
    },
  };
  return { kernels };
}

function findAddon(): { addon: Addon } | { reason: string } {
  const folder = join(packageRoot(), OUTPUT);
  const file = join(folder, `kernels-${process.platform}-${process.arch}.node`);
  const failure = join(folder, 'reason.txt');
  if (!existsSync(file)) {
    return { reason: existsSync(failure) ? readFileSync(failure, 'utf8').trim() : 'not built' };
  }
  try {
    const addon = createRequire(import.meta.url)(file) as Addon;
    // Built from other sources it would have other opcodes, or other bits.
    if (addon.version !== SOURCE_VERSION) return { reason: 'out of date (npm run setup builds it anew)' };
    return { addon };
  } catch (error) {
    return { reason: error instanceof Error ? error.message.split('\n')[0]! : String(error) };
  }
}

/** The folder of package.json, upwards of this file: from the source two levels, from dist/ three. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
