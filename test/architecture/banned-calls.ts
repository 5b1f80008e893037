import { importsOf } from './imports.js';
import {
  type Finding,
  findingAt,
  isScript,
  isTypeScript,
  type Source,
  type SyntaxNode,
  walk,
} from './source.js';

/** Names that code must not use, and where the ban applies. */
interface Ban {
  /** Members of global objects, such as "Math.random", and global functions, such as "setTimeout". */
  readonly names: ReadonlySet<string>;
  /** Modules that export the same. */
  readonly modules: ReadonlySet<string>;
  /** Whether the ban applies to the file at this path. */
  appliesTo(path: string): boolean;
  readonly why: string;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const isProduct = (path: string): boolean =>
  /^(shared|coordinator|worker|trainer|simulation|examples|scripts|web)\//.test(path);
/** Folders whose numbers may reach weights. */
const isNumeric = (path: string): boolean =>
  /^shared\/(arithmetic|kernels|graph|compiler|optim|reduction|data|engine)\//.test(path);

const BANS: readonly Ban[] = [
  {
    names: words(
      'Date.now performance.now performance.timeOrigin process.hrtime process.uptime Date() ' +
        'setTimeout setInterval',
    ),
    modules: words('node:timers node:timers/promises node:perf_hooks'),
    appliesTo: (path) => !/^(shared|test)\/actor\/clock\./.test(path) && /^(\w+)\//.test(path),
    why: 'take the time from a clock that is passed in (shared/actor/clock.ts)',
  },
  {
    names: words('Math.random crypto.getRandomValues crypto.randomUUID'),
    modules: words(''),
    appliesTo: (path) => path !== 'shared/actor/rng.ts',
    why: 'take random numbers from a seed or from shared/actor/rng.ts',
  },
  {
    names: words(
      'Math.exp Math.expm1 Math.log Math.log1p Math.log2 Math.log10 Math.sin Math.cos Math.tan Math.asin Math.acos ' +
        'Math.atan Math.atan2 Math.sinh Math.cosh Math.tanh Math.asinh Math.acosh Math.atanh Math.pow Math.sqrt ' +
        'Math.cbrt Math.hypot **',
    ),
    modules: words(''),
    appliesTo: isNumeric,
    why: 'JavaScript engines differ in the last bit; use a kernel (shared/kernels)',
  },
  {
    names: words(
      'console.log console.info console.warn console.error console.debug console.table console.trace',
    ),
    modules: words('node:console'),
    appliesTo: (path) => isProduct(path) && !path.startsWith('scripts/'),
    why: 'only commands print (scripts/terminal)',
  },
];

/** Uses of banned names, in TypeScript and in plain scripts (.mjs), which run before the build. */
export function bannedCalls(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources.filter((file) => isTypeScript(file) || isScript(file))) {
    const bans = BANS.filter((ban) => ban.appliesTo(source.path));
    const report = (node: { start: number }, name: string, ban: Ban): void => {
      findings.push(findingAt(source, node, `${name} is banned here: ${ban.why}`));
    };
    for (const { start, target } of importsOf(source)) {
      for (const ban of bans) if (ban.modules.has(target)) report({ start }, target, ban);
    }
    walk(source, (node) => {
      for (const name of namesUsed(node)) {
        for (const ban of bans) if (ban.names.has(name)) report(node, name, ban);
      }
    });
  }
  return findings;
}

/** Names that `node` itself uses, in the notation of `Ban.names`. */
function namesUsed(node: SyntaxNode): string[] {
  const nameOf = (part: unknown): string => {
    const { type, name, value, object, property } = part as Record<string, unknown>;
    // globalThis.setTimeout and window.performance.now are the same functions.
    if (type === 'MemberExpression' && ['globalThis', 'window', 'self'].includes(nameOf(object)))
      return nameOf(property);
    return String(name ?? value);
  };
  switch (node.type) {
    case 'MemberExpression':
      return [`${nameOf(node.object)}.${nameOf(node.property)}`];
    case 'VariableDeclarator': {
      const { type, properties } = node.id as { type: string; properties: { key?: unknown }[] };
      if (type !== 'ObjectPattern' || !node.init) return [];
      return properties.filter(({ key }) => key).map(({ key }) => `${nameOf(node.init)}.${nameOf(key)}`);
    }
    case 'CallExpression': {
      const called = nameOf(node.callee);
      return [called === 'Date' ? 'Date()' : called];
    }
    case 'NewExpression':
      return nameOf(node.callee) === 'Date' && (node.arguments as unknown[]).length === 0 ? ['Date()'] : [];
    case 'BinaryExpression':
      // Powers of 2 are exact, and so is a power of literals that a reader can check.
      return node.operator === '**' && !isTwo(node.left) && !(isLiteral(node.left) && isLiteral(node.right))
        ? ['**']
        : [];
    default:
      return [];
  }
}

function isTwo(part: unknown): boolean {
  return (part as { value?: unknown }).value === 2;
}

function isLiteral(part: unknown): boolean {
  const { type, argument } = part as { type: string; argument?: unknown };
  return type === 'Literal' || (type === 'UnaryExpression' && isLiteral(argument));
}
