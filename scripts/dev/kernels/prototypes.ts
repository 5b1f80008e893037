/** What one argument word of a kernel holds: a byte offset, an integer, or the bits of a float. */
export type ArgumentKind = 'ptr' | 'i32' | 'f32';

/** One KERNEL(...) prototype of the C source. */
export interface Prototype {
  readonly name: string;
  readonly arguments: readonly { readonly name: string; readonly kind: ArgumentKind }[];
}

const KINDS: Record<string, ArgumentKind> = { PTR: 'ptr', I32: 'i32', F32: 'f32' };

/**
 * Finds the kernels that a C file defines, in their order.
 * @throws Error when a prototype is not of the form KERNEL(name, PTR|I32|F32 argument, ...)
 */
export function parsePrototypes(file: string, source: string): Prototype[] {
  return [...source.matchAll(/^KERNEL\(([^)]*)\)/gm)].map((match) => {
    const [name = '', ...words] = match[1]!.split(',').map((part) => part.trim());
    const args = words.map((word) => {
      const [type = '', argument = '', ...rest] = word.split(/\s+/);
      const kind = KINDS[type];
      if (!kind || !/^\w+$/.test(argument) || rest.length > 0) {
        throw new Error(`${file}: kernel ${name}: "${word}" is not PTR, I32 or F32 and a name`);
      }
      return { name: argument, kind };
    });
    if (!/^[a-z]\w*$/.test(name) || args.length === 0) throw new Error(`${file}: bad prototype ${match[0]}`);
    return { name, arguments: args };
  });
}

const GENERATED = 'Generated from the KERNEL prototypes by scripts/dev/build-kernels.ts; do not edit.';

/** dispatch.h: includes every kernel file and defines the interpreter of command buffers. The opcode is the index in `kernels`. */
export function renderDispatch(files: readonly string[], kernels: readonly Prototype[]): string {
  const cases = kernels.map(({ name, arguments: args }, opcode) => {
    const passed = args.map(({ kind }, i) => PASS[kind](`word[${i + 1}]`));
    return [
      `      case ${opcode}:`,
      `        if (end - word < ${args.length + 1}) return (i32)(word - commands) + 1;`,
      `        kernel_${name}(thread, ${passed.join(', ')});`,
      `        word += ${args.length + 1};`,
      '        break;',
    ].join('\n');
  });
  return `/** ${GENERATED} */
#pragma once

${files.map((file) => `#include "${file}"`).join('\n')}

/** The address of an offset; offset 0 is NULL, "none". */
INLINE void *dispatch_pointer(const Thread *thread, u32 offset) { return offset ? thread->base + offset : 0; }

/**
 * Runs a command buffer: opcode, arguments, opcode, arguments, ... in words of 32 bits.
 * Returns 0, or 1 + the index of the word where an unknown opcode or an incomplete call starts.
 */
static i32 interpret(const Thread *thread, const u32 *commands, i32 words) {
  const u32 *word = commands, *end = commands + words;
  while (word < end) {
    switch (*word) {
${cases.join('\n')}
      default:
        return (i32)(word - commands) + 1;
    }
  }
  return 0;
}
`;
}

const PASS: Record<ArgumentKind, (word: string) => string> = {
  ptr: (word) => `dispatch_pointer(thread, ${word})`,
  i32: (word) => `(i32)${word}`,
  f32: (word) => `f32_from_bits(${word})`,
};

/** version.h: the hash of the sources, which the loader compares with that of table.ts. */
export function renderVersion(version: string): string {
  return `/** ${GENERATED} */\n#pragma once\n#define SOURCE_VERSION "${version}"\n`;
}

/** table.ts: the same kernels for CommandBuffer. */
export function renderTable(kernels: readonly Prototype[], version: string): string {
  const entries = kernels.map(({ name, arguments: args }, opcode) => {
    const lines = args.map((argument) => `      ${argument.name}: '${argument.kind}',`);
    return `  ${name}: {\n    opcode: ${opcode},\n    arguments: {\n${lines.join('\n')}\n    },\n  },`;
  });
  return `// ${GENERATED}

/** Hash of the C sources: builds of the same version have the same kernels, opcodes and bits. */
export const SOURCE_VERSION = '${version}';

/** Every kernel: its opcode, and the kinds of its arguments in the order of their words. */
export const KERNEL_TABLE = {
${entries.join('\n')}
} as const;
`;
}
