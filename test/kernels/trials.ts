import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { type KernelArguments, type KernelName, Tape } from '../../shared/kernels/tape.js';
import type { Trial } from '../../shared/kernels/trial.js';
import type { Call } from './expected.js';
import { buildNames, loadBuild } from './workbench.js';

const STACK_TOP = STATIC_BYTES + THREAD_BYTES;
const TAPE = STACK_TOP;

/** Byte offset from which trials are laid out. */
export const START = TAPE + 1024;

/** A build with a memory of its own. */
export interface TestBuild {
  readonly name: string;
  /** The whole memory. */
  readonly words: Uint32Array;
  run(kernel: KernelName, args: Readonly<Record<string, number>>): void;
}

/** Every build that runs here. */
export async function allBuilds(): Promise<TestBuild[]> {
  return await Promise.all(buildNames().map(openBuild));
}

async function openBuild(name: string): Promise<TestBuild> {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const kernels = await loadBuild(name, { memory, stackTop: STACK_TOP });
  const words = new Uint32Array(memory.buffer);
  return {
    name,
    words,
    run(kernel, args) {
      const tape = new Tape().emit(kernel, args as KernelArguments<typeof kernel>).words();
      words.set(tape, TAPE / 4);
      kernels.run(TAPE, tape.length);
    },
  };
}

/** Index of a byte offset in the words that begin at START. */
export function wordAt(offset: number): number {
  return (offset - START) / 4;
}

/** Copies of a trial's outputs, by the arguments' names, out of the words that begin at START. */
export function outputsOf({ buffers }: Trial, words: Uint32Array): Map<string, Uint32Array> {
  const outputs = buffers.filter(({ isOutput }) => isOutput);
  return new Map(
    outputs.map(({ name, offset, words: count }) => [
      name,
      words.slice(wordAt(offset), wordAt(offset) + count),
    ]),
  );
}

/** A trial as the reference sees it. */
export function callOf({ args, buffers }: Trial, words: Uint32Array): Call {
  const find = (argument: string) => {
    const buffer = buffers.find(({ name }) => name === argument);
    if (!buffer) throw new Error(`there is no buffer ${argument}`);
    return [words.buffer, wordAt(buffer.offset) * 4, buffer.words] as const;
  };
  return {
    args,
    f32: (argument) => new Float32Array(...find(argument)),
    i32: (argument) => new Int32Array(...find(argument)),
    bytesAt: (offset, bytes) => new DataView(words.buffer, offset - START, bytes),
  };
}
