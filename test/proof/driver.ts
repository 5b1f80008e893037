/*
 * Kernels that run in another program (driver.c): builds with sanitizers, and builds for another processor under emulation.
 * They have the same interface as all others, so that the same tests apply to them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssertionError, assert } from '../../shared/errors.js';
import { callsOf, type Region, regionsOf } from '../../shared/kernels/bounds/regions.js';
import type { Kernels, LoadOptions } from '../../shared/kernels/kernels.js';
import { THREAD_BYTES, WORKSPACE_BYTES } from '../../shared/kernels/memory-map.js';

/** Bytes around the regions of a call that the driver also sends back, so that writes outside of a region are detected. */
const MARGIN = 64;

/**
 * Starts a driver, which ends with this process.
 * @param command program and arguments of the driver, except the size of the memory
 * @param regions the regions that a call may access
 */
export function openDriver(
  command: readonly string[],
  { memory, stackTop }: LoadOptions,
  regions: typeof regionsOf = regionsOf,
): Kernels {
  const size = memory.buffer.byteLength;
  const program = new Program([...command, String(size)]);
  return {
    backend: 'native',
    detail: command.join(' '),
    run(offset, words) {
      const commands = new Int32Array(memory.buffer, offset, words);
      const contents = new Uint32Array(memory.buffer);
      const parts = [...callsOf(commands)].flatMap((call) => [...regions(call, contents)]);
      const { from, to } = spanOf(parts, size);
      const workspace = stackTop - THREAD_BYTES;
      const span = new Uint8Array(memory.buffer, from, to - from);
      const header = [offset, words, workspace, WORKSPACE_BYTES, from, to - from, parts.length];
      program.send(Uint32Array.from(header));
      program.send(commands);
      program.send(Uint32Array.from(parts.flatMap(({ offset, bytes }) => [offset, bytes])));
      program.send(span);
      const status = new Int32Array(1);
      program.receive(status);
      program.receive(span);
      assert(status[0] === 0, `the command buffer at ${offset} has no valid call at word ${status[0]! - 1}`);
    },
  };
}

/** The smallest span of memory with all regions and a margin. */
function spanOf(regions: readonly Region[], size: number): { from: number; to: number } {
  if (regions.length === 0) return { from: 0, to: 0 };
  let [from, to] = [size, 0];
  for (const { offset, bytes } of regions) {
    from = Math.min(from, offset - MARGIN);
    to = Math.max(to, offset + bytes + MARGIN);
  }
  return { from: Math.max(0, from), to: Math.min(size, to) };
}

type Names = [string, string, string];

/** A program with synchronous input and output, because a kernel call is synchronous. */
class Program {
  private readonly input: number;
  private readonly output: number;
  private readonly messages: number;

  constructor(private readonly command: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'unisum-driver-'));
    const [input, output, messages] = ['input', 'output', 'messages'].map((name) =>
      join(folder, name),
    ) as Names;
    execFileSync('mkfifo', [input, output]);
    const script = 'exec "$@" 2>"$MESSAGES" <"$INPUT" >"$OUTPUT"';
    const child = spawn('sh', ['-c', script, 'sh', ...command], {
      stdio: 'ignore',
      env: {
        ...process.env,
        ...{ INPUT: input, OUTPUT: output, MESSAGES: messages },
        // The leak detector uses ptrace, which not every machine allows.
        ASAN_OPTIONS: 'detect_leaks=0',
      },
    });
    child.unref();
    // In the order in which the shell opens them: each call waits for the other end.
    this.input = openSync(input, 'w');
    this.output = openSync(output, 'r');
    this.messages = openSync(messages, 'r');
    // The open files are still usable after this.
    rmSync(folder, { recursive: true });
  }

  send(data: Int32Array | Uint32Array | Uint8Array): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.input, bytes, at);
    } catch {
      this.fail();
    }
  }

  receive(data: Int32Array | Uint8Array): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(this.output, bytes, at, bytes.length - at, null);
      if (count === 0) this.fail();
      at += count;
    }
  }

  private fail(): never {
    closeSync(this.input);
    closeSync(this.output);
    const report = readFileSync(this.messages, 'utf8').split('\n').slice(0, 12).join('\n');
    throw new AssertionError(`${this.command.join(' ')} has ended:\n${report}`);
  }
}
