// Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit.

/** Hash of the C sources: builds of the same version have the same kernels, opcodes and bits. */
export const SOURCE_VERSION = '49f53d295447326a';

/** Every kernel: its opcode and, in tape order, the kind of each argument. */
export const KERNEL_TABLE = {
  matmul: {
    opcode: 0,
    arguments: {
      a: 'ptr',
      b: 'ptr',
      bias: 'ptr',
      out: 'ptr',
      rows: 'i32',
      inner: 'i32',
      cols: 'i32',
      activation: 'i32',
    },
  },
  matmulTransposedB: {
    opcode: 1,
    arguments: {
      a: 'ptr',
      b: 'ptr',
      out: 'ptr',
      rows: 'i32',
      inner: 'i32',
      cols: 'i32',
    },
  },
  treeMatmulTransposedA: {
    opcode: 2,
    arguments: {
      a: 'ptr',
      b: 'ptr',
      out: 'ptr',
      rows: 'i32',
      m: 'i32',
      n: 'i32',
      leafRows: 'i32',
    },
  },
  treeSumRows: {
    opcode: 3,
    arguments: {
      a: 'ptr',
      out: 'ptr',
      rows: 'i32',
      n: 'i32',
      leafRows: 'i32',
    },
  },
} as const;
