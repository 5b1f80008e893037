import {
  type Finding,
  findingAt,
  isScript,
  isTypeScript,
  type Source,
  type SyntaxNode,
  walk,
} from './source.js';

/**
 * Words that had a private meaning in this project, in the singular, and what to write instead. docs/glossary.md
 * lists the words that are kept. Words that code also needs in their ordinary sense ("late", "parts") are not here.
 */
const OLD_WORDS: ReadonlyMap<string, string> = new Map([
  ['audible', 'responsive'],
  ['audience', 'watchers'],
  ['besieged', 'flood'],
  ['blow', 'injected fault'],
  ['crew', 'step executor'],
  ['dialogue', 'message handlers'],
  ['disown', 'discard results'],
  ['duped', 'malicious coordinator'],
  ['dying', 'last used'],
  ['farewell', 'shutdown'],
  ['forgive', 'decay penalty'],
  ['granule', 'leaves per group'],
  ['harvest', 'results'],
  ['heirloom', 'in-place source'],
  ['keeper', 'checkpoint writer'],
  ['mend', 'fix'],
  ['misfit', 'frame limits'],
  ['needy', 'unassigned'],
  ['planted', 'mutants'],
  ['reversal', 'rollback'],
  ['siege', 'flood'],
  ['specimen', 'test vector'],
  ['spectator', 'watch client'],
  ['stranger', 'unauthenticated peer'],
  ['stride', 'steps per execution'],
  ['tape', 'command buffer'],
  ['twin', 'reference implementation'],
  ['verdict', 'result'],
  ['witness', 'replay verifier'],
  ['workplace', 'executor'],
  ['workshop', 'coordinator executor'],
]);

/** Paths where an old word has the meaning that the field gives it: strides of windows and tensors. */
const EXCEPT: ReadonlyMap<string, RegExp> = new Map([
  [
    'stride',
    /^(examples|(shared|test)\/(graph|compiler|kernels|data|golden)|(test\/)?trainer\/formats)\/|^docs\/layers\.md$/,
  ],
]);

/** Identifiers, file names and pages that contain an old word. */
export function oldWords(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources) {
    for (const word of oldWordsIn(source.path, source.path)) {
      findings.push(`${source.path}: the file name says "${word}": ${adviceFor(word)}`);
    }
    if (source.path.endsWith('.md')) findings.push(...inText(source));
    if (!isTypeScript(source) && !isScript(source)) continue;
    walk(source, (node) => {
      const name = nameOf(node);
      for (const word of name === undefined ? [] : oldWordsIn(name, source.path)) {
        findings.push(findingAt(source, node, `${name} says "${word}": ${adviceFor(word)}`));
      }
    });
  }
  return findings;
}

function inText(source: Source): Finding[] {
  return [...source.text.matchAll(/[\w-]+/g)].flatMap(({ 0: text, index }) =>
    oldWordsIn(text, source.path).map((word) =>
      findingAt(source, { start: index }, `"${word}" is an old word: ${adviceFor(word)}`),
    ),
  );
}

function nameOf(node: SyntaxNode): string | undefined {
  return /^(Private)?Identifier$/.test(node.type) ? (node.name as string) : undefined;
}

/** Old words among the words of a camelCase, snake_case or kebab-case name, in the singular. */
function oldWordsIn(name: string, path: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .map((word) => (OLD_WORDS.has(word) ? word : word.replace(/s$/, '')))
    .filter((word) => OLD_WORDS.has(word) && !EXCEPT.get(word)?.test(path));
}

function adviceFor(word: string): string {
  return `write "${OLD_WORDS.get(word)}" (docs/glossary.md)`;
}
