import { CommandBuffer, type KernelArguments, type KernelName } from '../../shared/kernels/command-buffer.js';

/** A kernel call with its arguments. */
export interface Call {
  readonly name: KernelName;
  readonly args: Readonly<Record<string, number>>;
}

/** A command buffer that also records its calls by name. */
export class Recorder extends CommandBuffer {
  readonly calls: Call[] = [];

  override emit<K extends KernelName>(name: K, args: KernelArguments<K>): this {
    this.calls.push({ name, args: { ...args } });
    return super.emit(name, args);
  }
}

/** Writes a recorded call to a command buffer. */
export function emitCall(commandBuffer: CommandBuffer, { name, args }: Call): void {
  commandBuffer.emit(name, args as KernelArguments<KernelName>);
}
