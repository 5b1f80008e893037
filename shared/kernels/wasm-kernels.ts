import { assert } from '../errors.js';
import type { Kernels, LoadOptions } from './kernels.js';
import { STATIC_BYTES, THREAD_BYTES } from './memory-map.js';

/** The WebAssembly builds: 'relaxed' has the engine's fused multiply-add, 'exact' computes it through f64. */
export type WasmBuild = 'relaxed' | 'exact';

/** Fetches a build: from disk in Node, over HTTP in a browser. */
export type WasmSource = (build: WasmBuild) => Promise<Uint8Array<ArrayBuffer>>;

interface Exports {
  readonly __stack_pointer: WebAssembly.Global;
  run(tape: number, words: number, workspace: number): number;
  fused(): number;
}

/** Either the compiled build, or why the engine cannot be trusted with it. */
type Compiled = { readonly module: WebAssembly.Module } | { readonly refusal: string };

/**
 * Instantiates the fastest wasm build that the engine computes exactly, for the calling thread. Uses nothing but
 * WebAssembly, so it runs in browsers too. All threads of one memory get the same build when they run in one engine.
 * @throws AssertionError when `stackTop` leaves no room
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
  assert(stackTop % 64 === 0 && workspace >= STATIC_BYTES, `no room for a thread below ${stackTop}`);
  assert(stackTop <= memory.buffer.byteLength, `a stack that ends at ${stackTop} lies outside the memory`);
  const { run } = await start(module, memory, stackTop);
  return {
    backend,
    detail,
    run(tapeOffset, words) {
      const bad = run(tapeOffset, words, workspace);
      assert(bad === 0, `the tape at ${tapeOffset} has no valid call at word ${bad - 1}`);
    },
  };
}

async function start(module: WebAssembly.Module, memory: WebAssembly.Memory, stackTop: number) {
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const exports = instance.exports as unknown as Exports;
  exports.__stack_pointer.value = stackTop;
  return exports;
}

/** Relaxed SIMD may round a*b + c once or twice: only an engine that does it once has our bits. */
async function compileRelaxed(bytes: Uint8Array<ArrayBuffer>): Promise<Compiled> {
  if (!WebAssembly.validate(bytes)) return { refusal: 'the engine has no relaxed SIMD' };
  const module = await WebAssembly.compile(bytes);
  const pages = (STATIC_BYTES + THREAD_BYTES) / 65536;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const { fused } = await start(module, memory, pages * 65536);
  return fused() === 1 ? { module } : { refusal: 'relaxed SIMD is not fused on this processor' };
}
