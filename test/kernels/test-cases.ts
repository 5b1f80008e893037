import { CommandBuffer, type KernelArguments, type KernelName } from '../../shared/kernels/command-buffer.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import type { TestCase } from '../../shared/kernels/self-test/test-case.js';
import type { Call } from './expected.js';
import { buildNames, loadBuild } from './workbench.js';

const STACK_TOP = STATIC_BYTES + THREAD_BYTES;
const COMMAND_BUFFER = STACK_TOP;

/** Byte offset of the first test case. */
export const START = COMMAND_BUFFER + 1024;

/** A build with its own memory. */
export interface TestBuild {
  readonly name: string;
  /** The whole memory. */
  readonly words: Uint32Array;
  run(kernel: KernelName, args: Readonly<Record<string, number>>): void;
}

/** Every build that runs on this machine. */
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
      const call = new CommandBuffer().emit(kernel, args as KernelArguments<typeof kernel>).words();
      words.set(call, COMMAND_BUFFER / 4);
      kernels.run(COMMAND_BUFFER, call.length);
    },
  };
}

/** Index of a byte offset in the words from START on. */
export function wordAt(offset: number): number {
  return (offset - START) / 4;
}

/** Copies of the outputs of a test case by argument name; `words` start at START. */
export function outputsOf({ buffers }: TestCase, words: Uint32Array): Map<string, Uint32Array> {
  const outputs = buffers.filter(({ isOutput }) => isOutput);
  return new Map(
    outputs.map(({ name, offset, words: count }) => [
      name,
      words.slice(wordAt(offset), wordAt(offset) + count),
    ]),
  );
}

/** A test case as the call of a reference; `words` start at START. */
export function callOf({ args, buffers }: TestCase, words: Uint32Array): Call {
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
