import { commands, type Tree } from '@yowasp/clang';
import { STATIC_BYTES } from '../../../shared/kernels/memory-map.js';

/** The two WebAssembly builds: with the engine's fused multiply-add, and with the exact one through f64. */
export type WasmBuild = 'relaxed' | 'exact';

/** The largest memory that 32-bit offsets can address. */
const MAX_MEMORY_BYTES = 65536 * 65536;

const FLAGS = [
  '--target=wasm32-unknown-unknown',
  '-O3',
  '-std=c17',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffreestanding',
  '-nostdlib',
  '-ffp-contract=off',
  '-fno-math-errno',
  // The memory of wasm starts at address 0, so adding an offset to a null base is intended, not undefined behaviour.
  '-fno-delete-null-pointer-checks',
  '-fwrapv-pointer',
  '-matomics',
  '-mbulk-memory',
  '-msimd128',
];

const LINK = [
  '--no-entry',
  '--import-memory',
  '--shared-memory',
  `--initial-memory=${STATIC_BYTES}`,
  `--max-memory=${MAX_MEMORY_BYTES}`,
  // Each instance gets its own stack; the one that the linker reserves is never used.
  '--stack-first',
  '-z,stack-size=1024',
  '--export=__stack_pointer',
  '--strip-all',
];

/**
 * Compiles the kernels to WebAssembly. The same sources give the same bytes on any machine.
 * @param sources files of shared/kernels/c by path in it
 * @throws Error with the compiler's messages
 */
export async function compileWasm(build: WasmBuild, sources: Tree): Promise<Uint8Array> {
  const messages: string[] = [];
  const decoder = new TextDecoder();
  const args = [
    ...FLAGS,
    ...(build === 'relaxed' ? ['-mrelaxed-simd'] : []),
    ...LINK.map((option) => `-Wl,${option}`),
    'entry.c',
    '-o',
    'kernels.wasm',
  ];
  try {
    const files = await commands.clang(args, sources, {
      fetchProgress: () => {},
      stderr: (bytes) => messages.push(bytes ? decoder.decode(bytes, { stream: true }) : ''),
    });
    return files!['kernels.wasm'] as Uint8Array;
  } catch (error) {
    throw new Error(`compiling ${build}.wasm: ${messages.join('') || String(error)}`);
  }
}
