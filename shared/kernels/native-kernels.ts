import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { AssertionError, assert, messageOf } from '../errors.js';
import { isCheckout, packageRoot } from '../package-root.js';
import { userCache } from '../user-folders.js';
import type { Kernels, LoadOptions } from './kernels.js';
import { STATIC_BYTES, THREAD_BYTES } from './memory-map.js';
import { SOURCE_VERSION } from './table.js';

/** The exports of c/addon/addon.c. The function that `attach` returns keeps the memory alive. */
interface Addon {
  readonly version: string;
  /** The instruction sets that it was built for and that this processor supports, best first. */
  readonly isas: readonly string[];
  attach(memory: Uint8Array, workspace: number, isa: string): (offset: number, words: number) => number;
  /** See c/addon/shared-memory.c. Left out where the system has nothing like it. */
  createShared?(bytes: number): SharedFile | undefined;
  openShared?(path: string, bytes: number): ArrayBuffer | undefined;
}

/** Memory that another process of this machine can open, by this process's descriptor of it. */
export interface SharedFile {
  readonly file: number;
  readonly memory: ArrayBuffer;
}

/** Memory that processes of this machine can share; undefined: not here. */
export function sharedMemory(): Required<Pick<Addon, 'createShared' | 'openShared'>> | undefined {
  const found = findAddon();
  if (!('addon' in found)) return undefined;
  const { createShared, openShared } = found.addon;
  return createShared && openShared && { createShared, openShared };
}

/**
 * Where scripts/build-native.mjs writes the addon, or the reason why there is none: in a checkout below it; of an installed package,
 * which may not be writable, in the user's cache, by version and processor, as machines may share it.
 */
export function nativeFolder(): string {
  if (isCheckout()) return join(packageRoot(), 'native', 'build');
  const processor = `${process.arch} ${cpus()[0]?.model ?? ''}`.replace(/[^a-z0-9]+/gi, '-');
  return join(userCache(), 'native', SOURCE_VERSION, processor);
}

/** The addon in such a folder. */
export function addonFile(folder: string): string {
  return join(folder, `kernels-${process.platform}-${process.arch}.node`);
}

/** Why there is no addon. */
export function reasonFile(folder: string): string {
  return join(folder, 'reason.txt');
}

/** The instruction sets that native kernels can use on this machine, best first; none when there is no addon. */
export function nativeIsas(): readonly string[] {
  const found = findAddon();
  return 'addon' in found ? found.addon.isas : [];
}

/**
 * Loads the addon for the calling thread, or returns a short reason why it cannot.
 * @param isa one of `nativeIsas()`, by default the best
 * @throws AssertionError when the bytes of a thread below `stackTop` do not fit into the memory
 */
export function loadNative(
  { memory, stackTop }: LoadOptions,
  isa?: string,
): { kernels: Kernels } | { reason: string } {
  const workspace = stackTop - THREAD_BYTES;
  assert(
    stackTop % 64 === 0 && workspace >= STATIC_BYTES,
    `the memory has no space for a thread below ${stackTop}`,
  );
  assert(stackTop <= memory.buffer.byteLength, `a thread that ends at ${stackTop} lies outside the memory`);
  const found = findAddon();
  if ('reason' in found) return found;
  const { addon } = found;
  // A shared memory that grows keeps its address, so it is attached only once.
  const chosen = isa ?? addon.isas[0]!;
  const run = addon.attach(new Uint8Array(memory.buffer), workspace, chosen);
  const kernels: Kernels = {
    backend: 'native',
    detail: chosen,
    run(offset, words) {
      const bad = run(offset, words);
      if (bad !== 0)
        throw new AssertionError(`the command buffer at ${offset} has no valid call at word ${bad - 1}`);
    },
  };
  return { kernels };
}

function findAddon(): { addon: Addon } | { reason: string } {
  const folder = nativeFolder();
  const [file, failure] = [addonFile(folder), reasonFile(folder)];
  if (!existsSync(file)) {
    return { reason: existsSync(failure) ? readFileSync(failure, 'utf8').trim() : 'not built' };
  }
  try {
    const addon = createRequire(import.meta.url)(file) as Addon;
    // An addon that was built from other sources may have other opcodes, or give other bits.
    if (addon.version !== SOURCE_VERSION) return { reason: 'out of date: run npm run setup' };
    return { addon };
  } catch (error) {
    return { reason: messageOf(error).split('\n')[0]! };
  }
}
