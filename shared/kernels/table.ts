// Generated from the KERNEL prototypes by scripts/build-kernels.ts; do not edit.

/** Hash of the C sources: builds of the same version have the same kernels, opcodes and bits. */
export const SOURCE_VERSION = 'f52ed3f3cb665756';

/** Every kernel: its opcode and, in tape order, the kind of each argument. */
export const KERNEL_TABLE = {
  reluForward: {
    opcode: 0,
    arguments: {
      x: 'ptr',
      y: 'ptr',
      n: 'i32',
    },
  },
  reluBackward: {
    opcode: 1,
    arguments: {
      y: 'ptr',
      dy: 'ptr',
      dx: 'ptr',
      n: 'i32',
    },
  },
  sigmoidForward: {
    opcode: 2,
    arguments: {
      x: 'ptr',
      y: 'ptr',
      n: 'i32',
    },
  },
  sigmoidBackward: {
    opcode: 3,
    arguments: {
      y: 'ptr',
      dy: 'ptr',
      dx: 'ptr',
      n: 'i32',
    },
  },
  tanhForward: {
    opcode: 4,
    arguments: {
      x: 'ptr',
      y: 'ptr',
      n: 'i32',
    },
  },
  tanhBackward: {
    opcode: 5,
    arguments: {
      y: 'ptr',
      dy: 'ptr',
      dx: 'ptr',
      n: 'i32',
    },
  },
  exponential: {
    opcode: 6,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  logarithm: {
    opcode: 7,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  errorFunction: {
    opcode: 8,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  sine: {
    opcode: 9,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  cosine: {
    opcode: 10,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  squareRoot: {
    opcode: 11,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  reciprocalSquareRoot: {
    opcode: 12,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  gatherU8: {
    opcode: 13,
    arguments: {
      out: 'ptr',
      chunkTable: 'ptr',
      cursor: 'ptr',
      first: 'i32',
      rows: 'i32',
      elements: 'i32',
      chunkSamples: 'i32',
      recordBytes: 'i32',
      fieldOffset: 'i32',
      scale: 'f32',
      shift: 'f32',
    },
  },
  gatherU8AsI32: {
    opcode: 14,
    arguments: {
      out: 'ptr',
      chunkTable: 'ptr',
      cursor: 'ptr',
      first: 'i32',
      rows: 'i32',
      elements: 'i32',
      chunkSamples: 'i32',
      recordBytes: 'i32',
      fieldOffset: 'i32',
    },
  },
  gatherWords: {
    opcode: 15,
    arguments: {
      out: 'ptr',
      chunkTable: 'ptr',
      cursor: 'ptr',
      first: 'i32',
      rows: 'i32',
      elements: 'i32',
      chunkSamples: 'i32',
      recordBytes: 'i32',
      fieldOffset: 'i32',
    },
  },
  softmaxCrossEntropySparseForward: {
    opcode: 16,
    arguments: {
      logits: 'ptr',
      labels: 'ptr',
      probabilities: 'ptr',
      loss: 'ptr',
      correct: 'ptr',
      rows: 'i32',
      cols: 'i32',
    },
  },
  softmaxCrossEntropySparseBackward: {
    opcode: 17,
    arguments: {
      probabilities: 'ptr',
      labels: 'ptr',
      dlogits: 'ptr',
      rows: 'i32',
      cols: 'i32',
      scale: 'f32',
    },
  },
  softmaxCrossEntropyForward: {
    opcode: 18,
    arguments: {
      logits: 'ptr',
      targets: 'ptr',
      probabilities: 'ptr',
      loss: 'ptr',
      correct: 'ptr',
      rows: 'i32',
      cols: 'i32',
    },
  },
  softmaxCrossEntropyBackward: {
    opcode: 19,
    arguments: {
      probabilities: 'ptr',
      targets: 'ptr',
      dlogits: 'ptr',
      rows: 'i32',
      cols: 'i32',
      scale: 'f32',
    },
  },
  crossEntropyForward: {
    opcode: 20,
    arguments: {
      p: 'ptr',
      targets: 'ptr',
      loss: 'ptr',
      correct: 'ptr',
      rows: 'i32',
      cols: 'i32',
    },
  },
  crossEntropyBackward: {
    opcode: 21,
    arguments: {
      p: 'ptr',
      targets: 'ptr',
      dp: 'ptr',
      rows: 'i32',
      cols: 'i32',
      scale: 'f32',
    },
  },
  meanSquaredErrorForward: {
    opcode: 22,
    arguments: {
      y: 'ptr',
      targets: 'ptr',
      loss: 'ptr',
      rows: 'i32',
      cols: 'i32',
    },
  },
  meanSquaredErrorBackward: {
    opcode: 23,
    arguments: {
      y: 'ptr',
      targets: 'ptr',
      dy: 'ptr',
      rows: 'i32',
      cols: 'i32',
      scale: 'f32',
    },
  },
  sgdUpdate: {
    opcode: 24,
    arguments: {
      weights: 'ptr',
      gradient: 'ptr',
      momentum: 'ptr',
      n: 'i32',
      scalars: 'ptr',
    },
  },
  adamUpdate: {
    opcode: 25,
    arguments: {
      weights: 'ptr',
      gradient: 'ptr',
      m: 'ptr',
      v: 'ptr',
      n: 'i32',
      scalars: 'ptr',
    },
  },
  matmul: {
    opcode: 26,
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
    opcode: 27,
    arguments: {
      a: 'ptr',
      b: 'ptr',
      out: 'ptr',
      rows: 'i32',
      inner: 'i32',
      cols: 'i32',
    },
  },
  randomUniform: {
    opcode: 28,
    arguments: {
      out: 'ptr',
      n: 'i32',
      key0: 'i32',
      key1: 'i32',
      low: 'f32',
      high: 'f32',
    },
  },
  randomNormal: {
    opcode: 29,
    arguments: {
      out: 'ptr',
      n: 'i32',
      key0: 'i32',
      key1: 'i32',
      mean: 'f32',
      deviation: 'f32',
    },
  },
  softmaxForward: {
    opcode: 30,
    arguments: {
      x: 'ptr',
      y: 'ptr',
      rows: 'i32',
      cols: 'i32',
    },
  },
  softmaxBackward: {
    opcode: 31,
    arguments: {
      y: 'ptr',
      dy: 'ptr',
      dx: 'ptr',
      rows: 'i32',
      cols: 'i32',
    },
  },
  oneHot: {
    opcode: 32,
    arguments: {
      labels: 'ptr',
      out: 'ptr',
      rows: 'i32',
      cols: 'i32',
    },
  },
  treeMatmulTransposedA: {
    opcode: 33,
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
    opcode: 34,
    arguments: {
      a: 'ptr',
      out: 'ptr',
      rows: 'i32',
      n: 'i32',
      leafRows: 'i32',
    },
  },
  addVectors: {
    opcode: 35,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      b: 'ptr',
      n: 'i32',
    },
  },
  multiplyVectors: {
    opcode: 36,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      b: 'ptr',
      n: 'i32',
    },
  },
  copyVector: {
    opcode: 37,
    arguments: {
      out: 'ptr',
      a: 'ptr',
      n: 'i32',
    },
  },
  fill: {
    opcode: 38,
    arguments: {
      out: 'ptr',
      n: 'i32',
      value: 'f32',
    },
  },
} as const;
