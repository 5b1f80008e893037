import { assert } from '../errors.js';
import type { Kernels, LoadOptions } from './kernels.js';
import { STATIC_BYTES, THREAD_BYTES } from './memory-map.js';

/** The WebAssembly builds: 'relaxed' uses the fused multiply-add of the engine, 'exact' computes it through f64. */
export type WasmBuild = 'relaxed' | 'exact';

/** Reads a build: from disk in Node, over HTTP in a browser. */
export type WasmSource = (build: WasmBuild) => Promise<Uint8Array<ArrayBuffer>>;

interface Exports {
  readonly __stack_pointer: WebAssembly.Global;
  run(offset: number, words: number, workspace: number): number;
  fused(): number;
}

/** Either the compiled build, or the reason why this engine cannot run it with the same bits. */
type Compiled = { readonly module: WebAssembly.Module } | { readonly refusal: string };

/**
 * Instantiates, for the calling thread, the fastest wasm build that the engine computes with the same bits. It uses only
 * WebAssembly, so it runs in browsers too. All threads of one engine get the same build.
 * @throws AssertionError when the bytes of a thread below `stackTop` do not fit into the memory
 */
export async function loadWasm(
  source: WasmSource,
  backend: 'wasm' | 'wasm-exact',
  options: LoadOptions,
): Promise<Kernels> {
  let reason = '';
  if (backend === 'wasm') {
    const compiled = await compileRelaxed(await source('relaxed'));
    if ('module' in compiled) return await instantiate(compiled.module, options, 'wasm', 'relaxed-simd');
    reason = ` (${compiled.refusal})`;
  }
  const exact = await WebAssembly.compile(await source('exact'));
  return await instantiate(exact, options, 'wasm-exact', `simd${reason}`);
}

async function instantiate(
  module: WebAssembly.Module,
  { memory, stackTop }: LoadOptions,
  backend: 'wasm' | 'wasm-exact',
  detail: string,
): Promise<Kernels> {
  const workspace = stackTop - THREAD_BYTES;
  assert(
    stackTop % 64 === 0 && workspace >= STATIC_BYTES,
    `the memory has no space for a thread below ${stackTop}`,
  );
  assert(stackTop <= memory.buffer.byteLength, `a thread that ends at ${stackTop} lies outside the memory`);
  const { run } = await start(module, memory, stackTop);
  return {
    backend,
    detail,
    run(offset, words) {
      const bad = run(offset, words, workspace);
      assert(bad === 0, `the command buffer at ${offset} has no valid call at word ${bad - 1}`);
    },
  };
}

async function start(module: WebAssembly.Module, memory: WebAssembly.Memory, stackTop: number) {
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as Exports;
  exports.__stack_pointer.value = stackTop;
  return exports;
}

/** Relaxed SIMD may round a*b + c once or twice: only an engine that rounds once gives the same bits. */
async function compileRelaxed(bytes: Uint8Array<ArrayBuffer>): Promise<Compiled> {
  if (!WebAssembly.validate(bytes)) return { refusal: 'the engine has no relaxed SIMD' };
  const module = await WebAssembly.compile(bytes);
  const pages = (STATIC_BYTES + THREAD_BYTES) / 65536;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const { fused } = await start(module, memory, pages * 65536);
  return fused() === 1 ? { module } : { refusal: 'relaxed SIMD is not fused on this processor' };
}
