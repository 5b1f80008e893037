import { type KernelArguments, type KernelName, Tape } from '../../shared/kernels/tape.js';

/** A kernel call as it was asked for. */
export interface Call {
  readonly name: KernelName;
  readonly args: Readonly<Record<string, number>>;
}

/** A tape that also remembers its calls by name. */
export class Recorder extends Tape {
  readonly calls: Call[] = [];

  override emit<K extends KernelName>(name: K, args: KernelArguments<K>): this {
    this.calls.push({ name, args: { ...args } });
    return super.emit(name, args);
  }
}

/** Writes a recorded call to a tape. */
export function emitCall(tape: Tape, { name, args }: Call): void {
  tape.emit(name, args as KernelArguments<KernelName>);
}
