import { AssertionError } from '../errors.js';
import { KERNEL_TABLE } from './table.js';

export type KernelName = keyof typeof KERNEL_TABLE;

/** All arguments of a kernel by name: byte offsets, integers or floats, one word each. */
export type KernelArguments<K extends KernelName> = {
  readonly [A in keyof (typeof KERNEL_TABLE)[K]['arguments']]: number;
};

interface Signature {
  readonly opcode: number;
  readonly arguments: Readonly<Record<string, 'ptr' | 'i32' | 'f32'>>;
}

/**
 * A list of kernel calls, built once and run many times: [opcode, argument, ...][opcode, ...], all 32-bit words. A whole
 * training step is then one call from JavaScript. Format: c/dispatch.h.
 */
export class CommandBuffer {
  private readonly bits: number[] = [];

  /**
   * Appends a call.
   * @throws AssertionError when an argument does not fit its kind: offsets are integers in [0, 2^32), i32 in
   * [-2^31, 2^32) (values from 2^31 on give the same bits as value - 2^32)
   */
  emit<K extends KernelName>(name: K, args: KernelArguments<K>): this {
    const { opcode, arguments: kinds } = KERNEL_TABLE[name] as Signature;
    const given = args as Readonly<Record<string, number>>;
    this.bits.push(opcode);
    for (const argument in kinds) {
      const value = given[argument] as number;
      if (kinds[argument] === 'f32') {
        this.bits.push(floatBits(value));
      } else {
        const lowest = kinds[argument] === 'ptr' ? 0 : -(2 ** 31);
        if (!Number.isInteger(value) || value < lowest || value >= 2 ** 32) {
          throw new AssertionError(`${name}: ${argument} = ${value} does not fit ${kinds[argument]}`);
        }
        this.bits.push(value | 0);
      }
    }
    return this;
  }

  /** A copy of the words so far, to be written into the memory. */
  words(): Int32Array {
    return Int32Array.from(this.bits);
  }
}

const cast = new DataView(new ArrayBuffer(4));

function floatBits(value: number): number {
  cast.setFloat32(0, value);
  return cast.getInt32(0);
}
