import { CommandBuffer, type KernelArguments, type KernelName } from '../../shared/kernels/command-buffer.js';
import type { Kernels, LoadOptions } from '../../shared/kernels/kernels.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { loadNative, nativeIsas } from '../../shared/kernels/native-kernels.js';
import { commandOf, PROOF_BUILDS } from '../proof/builds.js';
import { openDriver } from '../proof/driver.js';

/**
 * The names of all builds that run on this machine, with those that `npm run proof` adds. addon.ts builds the addon first.
 */
export function buildNames(): string[] {
  const native = nativeIsas().map((isa) => `native ${isa}`);
  return ['wasm', 'wasm-exact', ...native, ...PROOF_BUILDS.map(({ name }) => name)];
}

/** @param build one of `buildNames()` */
export async function loadBuild(build: string, options: LoadOptions): Promise<Kernels> {
  if (build === 'wasm' || build === 'wasm-exact') return await loadKernels({ ...options, backend: build });
  const proof = PROOF_BUILDS.find(({ name }) => name === build);
  if (proof) return openDriver(commandOf(proof), options);
  const native = loadNative(options, build.slice('native '.length));
  if ('reason' in native) throw new Error(native.reason);
  return native.kernels;
}

const STACK_TOP = STATIC_BYTES + THREAD_BYTES;
/** Bytes before and after every array that must not change. The pattern is the bits of an unusual float. */
const GUARD_BYTES = 64;
const GUARD = 0xa5;

/** One build with its own memory, in which a test allocates arrays, runs calls and reads the results. */
export class Workbench {
  private top = STACK_TOP;
  private readonly guards: number[] = [];

  private constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly kernels: Kernels,
  ) {}

  /** @param build one of `buildNames()` */
  static async open(build: string): Promise<Workbench> {
    const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536, shared: true });
    return new Workbench(memory, await loadBuild(build, { memory, stackTop: STACK_TOP }));
  }

  /** Frees all arrays. */
  clear(): void {
    this.top = STACK_TOP;
    this.guards.length = 0;
  }

  /** Copies values into the memory and returns their byte offset. */
  put(values: Float32Array | Int32Array | Uint32Array | Uint8Array): number {
    const at = this.allocate(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return at;
  }

  /** Allocates `count` words, filled with NaN, and returns their byte offset. */
  reserve(count: number): number {
    return this.put(new Float32Array(count).fill(Number.NaN));
  }

  /** Runs one call. @throws Error when it wrote directly before or after one of the arrays */
  run<K extends KernelName>(name: K, args: KernelArguments<K>): void {
    const words = new CommandBuffer().emit(name, args).words();
    this.kernels.run(this.put(words), words.length);
    const bytes = new Uint8Array(this.memory.buffer);
    for (const at of this.guards) {
      for (let i = at; i < at + GUARD_BYTES; i++) {
        if (bytes[i] !== GUARD) throw new Error(`${name} wrote at ${i}, outside of its arrays`);
      }
    }
  }

  /** A copy of `count` floats. */
  floats(at: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count).slice();
  }

  private allocate(bytes: number): number {
    const at = this.guard(this.top);
    // The guard after the array starts at the next word.
    this.top = this.guard(at + ((bytes + 3) & ~3));
    return at;
  }

  private guard(at: number): number {
    new Uint8Array(this.memory.buffer).fill(GUARD, at, at + GUARD_BYTES + 64);
    this.guards.push(at);
    return (at + GUARD_BYTES + 63) & ~63;
  }
}

/** The bits of floats, with NaN canonicalised. */
export function bitsOf(values: Float32Array): Uint32Array {
  return Uint32Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), (bits, i) =>
    Number.isNaN(values[i]) ? 0x7fc00000 : bits,
  );
}

/** Reproducible floats: `scale` times a number in [-1, 1). */
export class Numbers {
  constructor(private state: number) {}

  next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 31 - 1;
  }

  floats(count: number, scale = 1): Float32Array {
    return Float32Array.from({ length: count }, () => this.next() * scale);
  }

  /** Finite floats of all magnitudes, with zeros and subnormals. */
  wild(count: number): Float32Array {
    const bits = Uint32Array.from({ length: count }, () => ((this.next() + 1) * 2 ** 31) >>> 0);
    for (let i = 0; i < count; i++) {
      const exponent = (bits[i]! >>> 23) & 0xff;
      if (exponent === 0xff) bits[i]! ^= 0x40000000;
      if (bits[i]! % 17 === 0) bits[i]! &= 0x807fffff;
      if (bits[i]! % 19 === 0) bits[i]! &= 0x80000000;
    }
    return new Float32Array(bits.buffer);
  }
}
